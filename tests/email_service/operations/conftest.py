from tests.email_service.send_tasks.conftest import Hints, hints, peer

__all__ = ["Hints", "hints", "peer"]

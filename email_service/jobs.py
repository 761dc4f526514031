"""Where Celery looks for jobs: re-exports only."""

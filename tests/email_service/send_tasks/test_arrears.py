"""额度暂停: tasks beyond packages stand still in arrears, say why, and go on by themselves after a top-up."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from billing import settlement
from billing.models import Account
from email_service.send_tasks import arrears, services, sweep
from email_service.send_tasks.models import Task
from iam.models import Tenant, User
from koomessage.common.errors import RuleViolation
from tests.email_service.delivery.peer import Peer
from tests.email_service.send_tasks.sending import deliver_all, make_sending_tenant, submit
from tests.factories_billing import give_money, make_package, make_tiers, use_units

Status = Task.Status


def fall_into_arrears(tenant: Tenant) -> None:
    make_tiers((0, "0.1000"))
    use_units(tenant, 10, at=timezone.now() - timedelta(hours=2))
    settlement.settle_usage()
    assert Account.objects.get(tenant=tenant).is_in_arrears


def status_of(task: Task) -> tuple[str, str]:
    task.refresh_from_db()
    return task.status, task.status_reason


@pytest.mark.django_db(transaction=True)
def test_a_running_task_pauses_in_arrears_and_goes_on_after_a_top_up(peer: Peer):
    tenant = make_sending_tenant(peer)
    task = submit(tenant, "a@qq.com", "b@qq.com")
    fall_into_arrears(tenant)

    sweep.sweep()
    assert status_of(task) == (Status.QUOTA_PAUSED, "arrears")
    assert deliver_all() == 0 and peer.mails == []

    give_money(tenant, "0.99")
    sweep.sweep()
    assert status_of(task)[0] == Status.QUOTA_PAUSED

    give_money(tenant, "0.01")
    assert sweep.sweep().deliveries == 1
    assert status_of(task) == (Status.SENDING, "")
    deliver_all()
    assert len(peer.mails) == 2
    assert status_of(task)[0] == Status.FINISHED
    steps = list(task.events.values_list("kind", flat=True))
    assert [kind for kind in steps if kind in ("quota_paused", "resumed")] == ["quota_paused", "resumed"]


@pytest.mark.django_db
def test_what_packages_pay_for_is_sent_all_the_same():
    tenant, other = make_sending_tenant(), make_sending_tenant()
    make_package(tenant, units=3)
    paid = submit(tenant, "a@qq.com", "b@qq.com")
    beyond = submit(tenant, "a@qq.com", "b@qq.com")
    others = submit(other, "a@qq.com")
    fall_into_arrears(tenant)

    arrears.follow()

    assert [status_of(task)[0] for task in (paid, beyond, others)] == ["sending", "quota_paused", "sending"]


@pytest.mark.django_db
def test_a_scheduled_task_whose_hour_comes_waits_for_the_money():
    tenant = make_sending_tenant()
    task = submit(tenant, "a@qq.com", send_type="scheduled", due_at=timezone.now() + timedelta(hours=1))
    fall_into_arrears(tenant)

    sweep.sweep()
    assert status_of(task)[0] == Status.SCHEDULED
    Task.objects.filter(pk=task.pk).update(due_at=timezone.now() - timedelta(minutes=1))
    sweep.sweep()

    assert status_of(task)[0] == Status.QUOTA_PAUSED


@pytest.mark.django_db
def test_new_tasks_beyond_packages_are_refused_with_the_reason(as_owner: Client):
    tenant = make_sending_tenant()
    fall_into_arrears(tenant)

    with pytest.raises(RuleViolation, match="arrears"):
        submit(tenant, "a@qq.com")
    make_package(tenant, units=1)
    assert submit(tenant, "a@qq.com").status == Status.SENDING


@pytest.mark.django_db
def test_what_a_person_paused_or_stopped_stays_so(owner: User):
    tenant = make_sending_tenant()
    by_hand, cancelled, paused = (
        submit(tenant, "a@qq.com"),
        submit(tenant, "b@qq.com"),
        submit(tenant, "c@qq.com"),
    )
    services.pause_task(by_hand, user=owner)
    fall_into_arrears(tenant)
    arrears.follow()
    services.cancel_rest(cancelled, user=owner)
    with pytest.raises(RuleViolation):
        services.resume_task(paused, user=owner)

    give_money(tenant, "9.00")
    arrears.follow()

    assert [status_of(task)[0] for task in (by_hand, cancelled, paused)] == ["paused", "cancelled", "sending"]


@pytest.mark.django_db
def test_a_task_resumed_by_hand_in_arrears_stops_again(owner: User):
    tenant = make_sending_tenant()
    task = submit(tenant, "a@qq.com")
    services.pause_task(task, user=owner)
    fall_into_arrears(tenant)

    services.resume_task(task, user=owner)
    arrears.follow()

    assert status_of(task) == (Status.QUOTA_PAUSED, "arrears")


@pytest.mark.django_db(transaction=True)
def test_a_task_whose_last_mails_were_on_their_way_ends_in_arrears(peer: Peer):
    tenant = make_sending_tenant(peer)
    task = submit(tenant, "a@qq.com")
    deliver_all()
    # As if the worker were telling its last outcome while the sweep pauses the task.
    Task.objects.filter(pk=task.pk).update(
        status=Status.QUOTA_PAUSED, status_reason="arrears", finished_at=None
    )
    fall_into_arrears(tenant)

    sweep.sweep()
    sweep.sweep()

    assert status_of(task)[0] == Status.FINISHED


@pytest.mark.django_db
def test_pausing_and_resuming_are_moves_a_task_may_make():
    assert Status.QUOTA_PAUSED in Task.MOVES[Status.SENDING]
    assert Status.SENDING in Task.MOVES[Status.QUOTA_PAUSED]


@pytest.mark.django_db
def test_following_costs_the_same_for_one_task_and_for_many(django_assert_num_queries):
    tenant = make_sending_tenant()
    tasks = [submit(tenant, f"a{number}@qq.com") for number in range(5)]
    fall_into_arrears(tenant)

    # Two looks, each within a savepoint; and the tasks and their steps.
    with django_assert_num_queries(8):
        arrears.follow()
    with django_assert_num_queries(6):
        arrears.follow()

    assert {status_of(task)[0] for task in tasks} == {"quota_paused"}


@pytest.mark.django_db
def test_the_page_of_the_task_says_why_and_follows(as_owner: Client, acme: Tenant):
    task = submit(acme, "a@qq.com")
    fall_into_arrears(acme)
    arrears.follow()

    page = as_owner.get(task.get_absolute_url()).content.decode()

    assert "欠费" in page or "arrears" in page
    assert 'hx-trigger="every 2s"' in page
    assert "task-resume" not in page

"""演示支付: the page of a payment gateway that takes no real money."""

import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from billing import gateway
from koomessage.common.permissions import public
from koomessage.demo import payments

PAID, LOST, FAILED = "paid", "lost", "failed"


@require_http_methods(["GET", "POST"])
@public
def pay(request: HttpRequest) -> HttpResponse:
    """Show what is to be paid; a POST pays or fails, tells the console, and leads back to it."""
    wanted = payments.read_request(request.META["QUERY_STRING"])
    if wanted is None:
        return render(request, "demo/pay.html", {"demo_page": "pay", "wanted": None}, status=403)
    if request.method == "POST":
        decision = request.POST.get("decision", "")
        notice = payments.decide(wanted, "failed" if decision == FAILED else "succeeded")
        # As if the message had been lost on its way: the console has to ask.
        if decision != LOST:
            payments.tell(notice, wanted.notify)
        return redirect(wanted.back)
    context = {"demo_page": "pay", "wanted": wanted, "decided": payments.find(wanted.reference)}
    return render(request, "demo/pay.html", context)


# Asked by the console, which has no session here: the signature is what proves the right.
@csrf_exempt
@require_POST
@public
def query(request: HttpRequest) -> HttpResponse:
    """Say what became of a payment, signed as a notice is."""
    if not gateway.is_signed(request.headers, request.body):
        return HttpResponse("not signed", status=403, content_type="text/plain")
    notice = payments.find(str(json.loads(request.body).get("reference")))
    if notice is None:
        return HttpResponse("unknown", status=404, content_type="text/plain")
    return HttpResponse(notice.body, headers=gateway.signed_headers(notice.body))

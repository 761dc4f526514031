from django.urls import URLPattern, path

from email_service.send_tasks import (
    views,
    views_again,
    views_check,
    views_decisions,
    views_files,
    views_form,
    views_test_mail,
)

urlpatterns: list[URLPattern] = [
    path("tasks/", views.task_list, name="task_list"),
    path("tasks/add/", views.task_add, name="task_add"),
    path("tasks/preview/", views_form.task_preview, name="task_preview"),
    path("tasks/frame/", views_form.task_frame, name="task_frame"),
    path("tasks/judge/", views_form.task_judge, name="task_judge"),
    path("tasks/test/", views_form.task_test, name="task_test"),
    path("tasks/sample/", views.task_sample, name="task_sample"),
    path("tasks/check/<int:pk>/", views_check.check_detail, name="check_detail"),
    path("tasks/check/<int:pk>/progress/", views_check.check_progress, name="check_progress"),
    path("tasks/check/<int:pk>/submit/", views_check.check_submit, name="check_submit"),
    path("tasks/check/<int:pk>/rows/", views_check.check_rows, name="check_rows"),
    path("tasks/check/<int:pk>/frame/", views_check.check_frame, name="check_frame"),
    path("tasks/<int:pk>/", views.task_detail, name="task_detail"),
    path("tasks/<int:pk>/progress/", views.task_progress, name="task_progress"),
    path("tasks/<int:pk>/rows/", views.task_rows, name="task_rows"),
    path("tasks/<int:pk>/cancel/", views_decisions.task_cancel, name="task_cancel"),
    path("tasks/<int:pk>/cancel-rest/", views_decisions.task_cancel_rest, name="task_cancel_rest"),
    path("tasks/<int:pk>/pause/", views_decisions.task_pause, name="task_pause"),
    path("tasks/<int:pk>/resume/", views_decisions.task_resume, name="task_resume"),
    path("tasks/<int:pk>/resend/", views_again.task_resend, name="task_resend"),
    path("tasks/<int:pk>/mail/", views_files.task_mail, name="task_mail"),
    path("tasks/<int:pk>/attachments/<int:number>/", views_files.task_attachment, name="task_attachment"),
    path("tasks/<int:pk>/recipients/", views_files.task_recipients, name="task_recipients"),
    path("addresses/<int:pk>/test/", views_test_mail.address_test, name="address_test"),
]

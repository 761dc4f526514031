from django.urls import URLPattern, path

from email_service.send_tasks import views, views_decisions, views_test_mail

urlpatterns: list[URLPattern] = [
    path("tasks/", views.task_list, name="task_list"),
    path("tasks/add/", views.task_add, name="task_add"),
    path("tasks/template/", views.task_template, name="task_template"),
    path("tasks/sample/", views.task_sample, name="task_sample"),
    path("tasks/<int:pk>/", views.task_detail, name="task_detail"),
    path("tasks/<int:pk>/progress/", views.task_progress, name="task_progress"),
    path("tasks/<int:pk>/rows/", views.task_rows, name="task_rows"),
    path("tasks/<int:pk>/cancel/", views_decisions.task_cancel, name="task_cancel"),
    path("tasks/<int:pk>/cancel-rest/", views_decisions.task_cancel_rest, name="task_cancel_rest"),
    path("tasks/<int:pk>/pause/", views_decisions.task_pause, name="task_pause"),
    path("tasks/<int:pk>/resume/", views_decisions.task_resume, name="task_resume"),
    path("addresses/<int:pk>/test/", views_test_mail.address_test, name="address_test"),
]

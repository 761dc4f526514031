from django.urls import URLPattern, path

from email_service.mail_templates import views, views_drafts, views_form, views_frame, views_pictures

urlpatterns: list[URLPattern] = [
    path("templates/", views.template_list, name="template_list"),
    path("templates/public/", views.template_public_list, name="template_public_list"),
    path("templates/add/", views_form.template_add, name="template_add"),
    path("templates/draft/", views_drafts.template_draft, name="template_draft"),
    path("templates/drafts/<int:pk>/", views_drafts.draft_detail, name="draft_detail"),
    path("templates/drafts/<int:pk>/frame/", views_drafts.draft_frame, name="draft_frame"),
    path("templates/pictures/", views_pictures.picture_list, name="picture_list"),
    path("templates/pictures/add/", views_pictures.picture_add, name="picture_add"),
    path("templates/pictures/<int:pk>/delete/", views_pictures.picture_delete, name="picture_delete"),
    path("templates/<int:pk>/", views.template_detail, name="template_detail"),
    path("templates/<int:pk>/edit/", views_form.template_edit, name="template_edit"),
    path("templates/<int:pk>/copy/", views_form.template_copy, name="template_copy"),
    path("templates/<int:pk>/delete/", views.template_delete, name="template_delete"),
    path("templates/<int:pk>/restore/<int:number>/", views_drafts.template_restore, name="template_restore"),
    path("templates/<int:pk>/preview/", views.template_preview, name="template_preview"),
    path("templates/<int:pk>/frame/", views_frame.template_frame, name="template_frame"),
    path("templates/public/<int:pk>/copy/", views_form.template_public_copy, name="template_public_copy"),
    path("templates/public/<int:pk>/preview/", views.template_public_preview, name="template_public_preview"),
    path("templates/public/<int:pk>/frame/", views_frame.template_public_frame, name="template_public_frame"),
]

# What recipients' mail programs load.
public_urlpatterns: list[URLPattern] = [
    path("pictures/<slug:token>.<slug:kind>", views_pictures.picture, name="picture"),
]

from django.urls import path

from iam import (
    views,
    views_activation,
    views_groups,
    views_password,
    views_policies,
    views_settings,
    views_signup,
    views_users,
    views_verification,
)

app_name = "iam"
urlpatterns = [
    path("login/", views.login, name="login"),
    path("logout/", views.logout, name="logout"),
    path("signup/", views_signup.signup, name="signup"),
    path("signup/sent/", views_signup.signup_sent, name="signup_sent"),
    path("signup/resend/", views_signup.signup_resend, name="signup_resend"),
    path("signup/confirm/<str:token>/", views_signup.signup_confirm, name="signup_confirm"),
    path("password/", views_password.password_change, name="password_change"),
    path("password/forgotten/", views_password.password_forgotten, name="password_forgotten"),
    path("password/reset/<str:uid>/<str:token>/", views_password.password_reset, name="password_reset"),
    path("verification/", views_verification.verification, name="verification"),
    path(
        "verification/<int:pk>/licence/", views_verification.verification_licence, name="verification_licence"
    ),
    path("verification/<int:pk>/review/", views_verification.licence_review, name="licence_review"),
    path("agreements/<slug:slug>/", views_activation.agreement, name="agreement"),
    path("activate/", views_activation.activate, name="activate"),
    path("iam/", views_users.user_list, name="home"),
    path("iam/users/", views_users.user_list, name="user_list"),
    path("iam/users/add/", views_users.user_add, name="user_add"),
    path("iam/users/<int:pk>/", views_users.user_detail, name="user_detail"),
    path("iam/users/<int:pk>/edit/", views_users.user_edit, name="user_edit"),
    path("iam/users/<int:pk>/disable/", views_users.user_disable, name="user_disable"),
    path("iam/users/<int:pk>/enable/", views_users.user_enable, name="user_enable"),
    path("iam/groups/", views_groups.group_list, name="group_list"),
    path("iam/groups/add/", views_groups.group_add, name="group_add"),
    path("iam/groups/<int:pk>/edit/", views_groups.group_edit, name="group_edit"),
    path("iam/groups/<int:pk>/delete/", views_groups.group_delete, name="group_delete"),
    path("iam/policies/", views_policies.policy_list, name="policy_list"),
    path("iam/policies/add/", views_policies.policy_add, name="policy_add"),
    path("iam/policies/<int:pk>/", views_policies.policy_detail, name="policy_detail"),
    path("iam/policies/<int:pk>/edit/", views_policies.policy_edit, name="policy_edit"),
    path("iam/policies/<int:pk>/delete/", views_policies.policy_delete, name="policy_delete"),
    path("iam/settings/", views_settings.settings_edit, name="settings"),
]

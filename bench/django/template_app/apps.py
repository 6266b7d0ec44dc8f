from django.apps import AppConfig


class TemplateAppConfig(AppConfig):
    name = "template_app"

    def ready(self):
        import template_app.signals  # noqa: F401

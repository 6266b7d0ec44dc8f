from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Category(models.Model):
    name = models.CharField(_("name"), max_length=200, unique=True)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE)


class Item(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        LIVE = "live", _("live")

    category = models.ForeignKey(Category, related_name="items", on_delete=models.PROTECT)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.CASCADE)
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    price = models.DecimalField(max_digits=10, decimal_places=2)

    class Meta:
        indexes = [models.Index(fields=["state", "category"])]


class Tag(models.Model):
    name = models.CharField(max_length=50)
    items = models.ManyToManyField(Item, related_name="tags")


class Comment(models.Model):
    item = models.ForeignKey(Item, related_name="comments", on_delete=models.CASCADE)
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)


class Attachment(models.Model):
    comment = models.ForeignKey(Comment, related_name="attachments", on_delete=models.CASCADE)
    file = models.FileField(upload_to="attachments/")
    details = models.JSONField(default=dict)

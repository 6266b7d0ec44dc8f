import requests
from celery import shared_task
from rest_framework import serializers

from .models import Attachment, Comment, Item


class ItemSerializer(serializers.ModelSerializer):
    class Meta:
        model = Item
        fields = ["id", "category", "title", "state", "price"]


@shared_task(autoretry_for=(requests.RequestException,), retry_backoff=True)
def index(item_id):
    item = Item.objects.select_related("category").get(pk=item_id)
    requests.post("http://127.0.0.1/index", json=ItemSerializer(item).data, timeout=5)


@shared_task
def publish(item_id):
    Item.objects.filter(pk=item_id).update(state=Item.State.LIVE)


@shared_task(ignore_result=True)
def forget_drafts():
    Item.objects.filter(state=Item.State.DRAFT).delete()


@shared_task
def count_comments(item_id):
    return Comment.objects.filter(item_id=item_id).count()


@shared_task
def count_attachments():
    return Attachment.objects.count()

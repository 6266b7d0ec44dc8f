from datetime import timedelta

import requests
from celery import shared_task
from django.db import transaction
from django.utils import timezone

from .models import Attachment, Comment, Item
from .serializers import ItemSerializer


@shared_task(autoretry_for=(requests.RequestException,), retry_backoff=True)
def index(item_id):
    item = Item.objects.select_related("category").get(pk=item_id)
    requests.post("http://127.0.0.1/index", json=ItemSerializer(item).data, timeout=5).raise_for_status()


@shared_task
def publish(item_id):
    with transaction.atomic():
        item = Item.objects.select_for_update().get(pk=item_id)
        item.state = Item.State.LIVE
        item.save(update_fields=["state"])


@shared_task(ignore_result=True)
def forget_drafts(days=30):
    old = timezone.now() - timedelta(days=days)
    Item.objects.filter(state=Item.State.DRAFT, updated_at__lt=old).delete()


@shared_task
def count_comments(item_id):
    return Comment.objects.filter(item_id=item_id, is_public=True).count()


@shared_task
def measure_attachments():
    for attachment in Attachment.objects.filter(size=0).iterator():
        attachment.size = attachment.file.size
        attachment.save(update_fields=["size"])

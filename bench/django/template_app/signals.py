from django.db.models.signals import post_save
from django.dispatch import receiver

from .models import Item


@receiver(post_save, sender=Item)
def index_item(sender, instance, **kwargs):
    from .tasks import index

    index.delay(instance.pk)

"""The source “search” is called “generate” since there is more than one generator; digests follow the snapshots."""

import hashlib
import json

from django.db import migrations

OLD, NEW = "search", "generate"


def rename(apps, old, new):
    campaigns = apps.get_model("campaigns", "Campaign")
    for campaign in campaigns.objects.filter(protocol__source=old).iterator():
        campaign.protocol["source"] = new
        snapshot = json.dumps(campaign.protocol, sort_keys=True)
        campaign.protocol_digest = hashlib.sha256(snapshot.encode()).hexdigest()
        campaign.save(update_fields=["protocol", "protocol_digest"])


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0002_generator")]

    operations = [
        migrations.RunPython(lambda apps, _: rename(apps, OLD, NEW), lambda apps, _: rename(apps, NEW, OLD)),
    ]

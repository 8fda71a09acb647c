"""Drives `holdfast simulate` through every operation of the App Service backup API with Microsoft's own SDK.

Argument: the folder that `holdfast simulate` wrote. Every answer must be readable by the SDK.
"""

import base64
import hashlib
import hmac
import sys
import time
import tomllib
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import quote

import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.web import WebSiteManagementClient
from azure.mgmt.web import models

ACCOUNT, CONTAINER = "simulatedbackups", "backups"
# A simulated backup takes seconds.
DEADLINE = 60


class Bearer(SansIOHTTPPolicy):
    """The credential, and the policy that sends it although the endpoint is plain HTTP on loopback."""

    def __init__(self, token):
        self.token = token

    def get_token(self, *scopes, **_options):
        return AccessToken(self.token, int(time.time()) + 3600)

    def on_request(self, request):
        request.http_request.headers["Authorization"] = f"Bearer {self.token}"


def token_of(credential, authority):
    answer = requests.post(
        f"{authority}/{credential['tenant']}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": credential["client_id"],
            "client_secret": Path(credential["secret"].removeprefix("file:")).read_text(),
            "scope": "https://management.azure.com/.default",
        },
        timeout=10,
    )
    answer.raise_for_status()
    return answer.json()["access_token"]


def container_sas(endpoint, key):
    """A service SAS of the container, as Microsoft documents it (version 2020-12-06 and later)."""
    now = datetime.now(timezone.utc)
    form = "%Y-%m-%dT%H:%M:%SZ"
    start, expiry = ((now + timedelta(hours=hours)).strftime(form) for hours in (-1, 48))
    permissions, version = "rwdl", "2022-11-02"
    resource = f"/blob/{ACCOUNT}/{CONTAINER}"
    text = "\n".join(
        [permissions, start, expiry, resource, "", "", "", version, "c", "", "", "", "", "", "", ""]
    )
    digest = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()
    signature = quote(base64.b64encode(digest).decode(), safe="")
    query = f"sv={version}&sr=c&sp={permissions}&st={quote(start)}&se={quote(expiry)}&sig={signature}"
    return f"{endpoint}/{ACCOUNT}/{CONTAINER}?{query}"


def eventually(ask, what):
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.2)
    raise AssertionError(f"not within {DEADLINE} s: {what}")


def refused(call, code):
    try:
        call()
    except HttpResponseError as error:
        assert error.status_code == code, error
        return
    raise AssertionError(f"expected {code}")


class Walk:
    """One site, from its first backup to its last."""

    def __init__(self, apps, site, url):
        self.apps, self.url = apps, url
        self.at = (site.resource_group, site.name)

    def backup_request(self, name):
        return models.BackupRequest(backup_name=name, storage_account_url=self.url)

    def backed_up(self, name):
        item = self.apps.backup(*self.at, self.backup_request(name)).properties
        assert item.name == name and item.backup_id is not None, item
        number = str(item.backup_id)

        def ended():
            now = self.apps.get_backup_status(*self.at, number).properties
            return now if now.status not in ("InProgress", "Created") else None

        done = eventually(ended, f"{name} ends")
        assert done.status == "Succeeded", done.status
        assert done.blob_name == f"{name}.zip" or done.blob_name == name, done.blob_name
        assert done.size_in_bytes > 0 and done.created and done.finished_time_stamp, done
        return number

    def lists(self, number):
        # A new backup may be missing from the lists for a while.
        for ask in (self.apps.list_backups, self.apps.list_site_backups):

            def found(ask=ask):
                ids = {str(item.properties.backup_id): item.properties for item in ask(*self.at)}
                return ids.get(number)

            listed = eventually(found, f"{ask.__name__} has the backup {number}")
            assert listed.status == "Succeeded", listed

    def secrets(self, number):
        request = self.backup_request("any")
        item = self.apps.list_backup_status_secrets(*self.at, number, request)
        assert "sig=" in item.properties.storage_account_url, "the answer has the full SAS"

    def restored(self, number, name):
        request = models.RestoreRequest(
            storage_account_url=self.url, blob_name=name, overwrite=True, site_name=self.at[1]
        )
        found = self.apps.discover_backup(*self.at, request)
        assert found.blob_name, found
        self.apps.begin_restore(*self.at, number, request, polling_interval=1).result(DEADLINE)
        self.apps.begin_restore_from_backup_blob(*self.at, request, polling_interval=1).result(DEADLINE)

    def scheduled(self):
        start = datetime.now(timezone.utc) + timedelta(days=1)
        schedule = models.BackupSchedule(
            frequency_interval=1,
            frequency_unit="Day",
            keep_at_least_one_backup=True,
            retention_period_in_days=10,
            start_time=start.replace(tzinfo=None),
        )
        request = models.BackupRequest(
            enabled=True, storage_account_url=self.url, backup_schedule=schedule
        )
        self.apps.update_backup_configuration(*self.at, request)
        read = self.apps.get_backup_configuration(*self.at)
        assert read.enabled and read.backup_schedule.frequency_unit == "Day", read
        assert read.backup_schedule.retention_period_in_days == 10, read
        self.apps.delete_backup_configuration(*self.at)
        refused(lambda: self.apps.get_backup_configuration(*self.at), 404)

    def deleted(self, number):
        self.apps.delete_backup(*self.at, number)

        def gone():
            try:
                self.apps.get_backup_status(*self.at, number)
            except ResourceNotFoundError:
                return True
            return False

        eventually(gone, f"backup {number} is gone")


def main():
    folder = Path(sys.argv[1])
    fleet = tomllib.loads((folder / "fleet.toml").read_text())
    endpoint = fleet["azure"]["endpoint"]
    token = token_of(fleet["azure"]["credential"], endpoint)
    subscription = fleet["discover"][0]["subscription"]
    bearer = Bearer(token)
    client = WebSiteManagementClient(
        credential=bearer,
        subscription_id=subscription,
        base_url=endpoint,
        authentication_policy=bearer,
    )
    sites = list(client.web_apps.list())
    assert sites and all(site.default_host_name and site.state for site in sites), sites
    url = container_sas(endpoint, (folder / "storage-key").read_text().strip())
    walk = Walk(client.web_apps, sites[0], url)
    refused(lambda: client.web_apps.get_backup_status(*walk.at, "999999"), 404)
    number = walk.backed_up("by-the-sdk")
    walk.lists(number)
    walk.secrets(number)
    walk.restored(number, "by-the-sdk.zip")
    walk.scheduled()
    walk.deleted(number)
    print("every operation was answered as the SDK reads it")


if __name__ == "__main__":
    main()

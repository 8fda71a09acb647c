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

import az
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
    """One site or slot, from its first backup to its last."""

    def __init__(self, apps, url, site, slot=None):
        self.apps, self.url, self.site, self.slot = apps, url, site, slot

    def call(self, operation, **arguments):
        """Calls an operation on the site, or its twin on the slot."""
        where = {"resource_group_name": self.site.resource_group, "name": self.site.name}
        if self.slot:
            operation, where["slot"] = f"{operation}_slot", self.slot
        return getattr(self.apps, operation)(**where, **arguments)

    def backup_request(self, name):
        return models.BackupRequest(backup_name=name, storage_account_url=self.url)

    def backed_up(self, name):
        item = self.call("backup", request=self.backup_request(name)).properties
        assert item.name == name and item.backup_id is not None, item
        number = str(item.backup_id)

        def ended():
            now = self.call("get_backup_status", backup_id=number).properties
            return now if now.status not in ("InProgress", "Created") else None

        done = eventually(ended, f"{name} ends")
        assert done.status == "Succeeded", done.status
        assert done.blob_name == f"{name}.zip" or done.blob_name == name, done.blob_name
        assert done.size_in_bytes > 0 and done.created and done.finished_time_stamp, done
        return number

    def lists(self, number):
        # A new backup may be missing from the lists for a while.
        for operation in ("list_backups", "list_site_backups"):

            def found(operation=operation):
                items = self.call(operation)
                return {str(item.properties.backup_id): item.properties for item in items}.get(number)

            listed = eventually(found, f"{operation} has the backup {number}")
            assert listed.status == "Succeeded", listed

    def secrets(self, number):
        request = self.backup_request("any")
        item = self.call("list_backup_status_secrets", backup_id=number, request=request)
        assert "sig=" in item.properties.storage_account_url, "the answer has the full SAS"

    def restored(self, number, name):
        target = f"{self.site.name}({self.slot})" if self.slot else self.site.name
        request = models.RestoreRequest(
            storage_account_url=self.url, blob_name=name, overwrite=True, site_name=target
        )
        found = self.call("discover_backup", request=request)
        assert found.blob_name, found
        self.call("begin_restore", backup_id=number, request=request, polling_interval=1).result(DEADLINE)
        self.call("begin_restore_from_backup_blob", request=request, polling_interval=1).result(DEADLINE)

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
        self.call("update_backup_configuration", request=request)
        read = self.call("get_backup_configuration")
        assert read.enabled and read.backup_schedule.frequency_unit == "Day", read
        assert read.backup_schedule.retention_period_in_days == 10, read
        self.call("delete_backup_configuration")
        refused(lambda: self.call("get_backup_configuration"), 404)

    def deleted(self, number):
        self.call("delete_backup", backup_id=number)

        def gone():
            try:
                self.call("get_backup_status", backup_id=number)
            except ResourceNotFoundError:
                return True
            return False

        eventually(gone, f"backup {number} is gone")

    def whole(self, name):
        refused(lambda: self.call("get_backup_status", backup_id="999999"), 404)
        number = self.backed_up(name)
        self.lists(number)
        self.secrets(number)
        self.restored(number, f"{name}.zip")
        self.scheduled()
        self.deleted(number)


def site_and_slot(client, sites):
    """A site that has a slot, and the slot's name."""
    for site in sites:
        for slot in client.web_apps.list_slots(site.resource_group, site.name):
            name = slot.name.split("/")[-1]
            found = client.web_apps.get_slot(site.resource_group, site.name, name)
            assert found.default_host_name and found.state, found
            return site, name
    raise AssertionError("no site has a slot")


def main():
    folder = Path(sys.argv[1])
    fleet = tomllib.loads((folder / "fleet.toml").read_text())
    endpoint = fleet["azure"]["endpoint"]
    token = token_of(fleet["azure"]["credential"], endpoint)
    bearer = Bearer(token)
    url = container_sas(endpoint, (folder / "storage-key").read_text().strip())
    client = WebSiteManagementClient(
        credential=bearer,
        subscription_id=fleet["discover"][0]["subscription"],
        base_url=endpoint,
        authentication_policy=bearer,
    )
    sites = list(client.web_apps.list())
    assert sites and all(site.default_host_name and site.state for site in sites), sites
    Walk(client.web_apps, url, sites[0]).whole("by-the-sdk")
    Walk(client.web_apps, url, *site_and_slot(client, sites)).whole("by-the-sdk-for-a-slot")
    az.drive(endpoint, token, sites[0].id, url)
    print("every operation was answered as the SDK and az read it")


if __name__ == "__main__":
    main()

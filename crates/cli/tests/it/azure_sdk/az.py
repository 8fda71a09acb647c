"""The requests of the Azure CLI (`az webapp config backup …`), as its recordings have them.

The CLI itself takes more than 500 MB, so its bodies are sent without it: numbers as texts, units in lower case, and
the id 0 in the path of a restore.
"""

import time

import requests

VERSION = "2023-01-01"
DEADLINE = 60


class Az:
    def __init__(self, endpoint, token, site, url):
        self.base, self.token, self.url = f"{endpoint}{site}", token, url

    def send(self, method, path, properties=None, status=200):
        answer = requests.request(
            method,
            f"{self.base}{path}?api-version={VERSION}",
            headers={"Authorization": f"Bearer {self.token}"},
            json=None if properties is None else {"properties": properties},
            timeout=10,
        )
        assert answer.status_code == status, (method, path, answer.status_code, answer.text)
        return answer

    def schedule(self, **changes):
        schedule = {
            "frequencyInterval": "1",
            "frequencyUnit": "Day",
            "keepAtLeastOneBackup": True,
            "retentionPeriodInDays": "10",
        } | changes
        body = {"enabled": True, "storageAccountUrl": self.url, "backupSchedule": schedule, "databases": None}
        return self.send("PUT", "/config/backup", body)

    def shown(self):
        return self.send("POST", "/config/backup/list").json()["properties"]

    def backed_up(self, name):
        body = {"backupName": name, "storageAccountUrl": self.url, "databases": None}
        number = self.send("POST", "/backup", body).json()["properties"]["id"]
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            listed = {item["properties"]["id"]: item for item in self.send("GET", "/backups").json()["value"]}
            if number in listed and listed[number]["properties"]["status"] == "Succeeded":
                return number
            time.sleep(0.2)
        raise AssertionError(f"{name} did not end within {DEADLINE} s")

    def restored(self, blob):
        body = {
            "storageAccountUrl": self.url,
            "blobName": blob,
            "overwrite": True,
            "siteName": self.base.split("/")[-1],
            "databases": None,
            "ignoreConflictingHostNames": False,
        }
        answer = self.send("POST", "/backups/0/restore", body, status=202)
        link, end = answer.headers["location"], time.monotonic() + DEADLINE
        while answer.status_code == 202 and time.monotonic() < end:
            time.sleep(0.2)
            answer = requests.get(link, headers={"Authorization": f"Bearer {self.token}"}, timeout=10)
        assert answer.status_code == 200, answer.text
        assert answer.json()["properties"]["defaultHostName"], answer.text


def drive(endpoint, token, site, url):
    """`create`, `list`, `restore`, `update` with each form of its values, `show` and `delete`."""
    az = Az(endpoint, token, site, url)
    number = az.backed_up("by-az")
    az.restored("by-az.zip")
    for changes, unit in [
        ({}, "Day"),
        ({"frequencyUnit": "day", "frequencyInterval": 7}, "Day"),
        ({"frequencyUnit": "hour", "keepAtLeastOneBackup": "True", "retentionPeriodInDays": 0}, "Hour"),
    ]:
        az.schedule(**changes)
        read = az.shown()["backupSchedule"]
        assert read["frequencyUnit"] == unit, (changes, read)
        for key in ("frequencyInterval", "retentionPeriodInDays"):
            asked = ({"frequencyInterval": "1", "retentionPeriodInDays": "10"} | changes)[key]
            assert read[key] == int(asked), (changes, read)
        assert read["keepAtLeastOneBackup"] is True, read
    az.send("DELETE", "/config/backup")
    az.send("POST", "/config/backup/list", status=404)
    az.send("DELETE", f"/backups/{number}")

"""What the checks need to be there in local Astra: a spec knows the shape of an id, but no id that exists."""

import os
import time
from urllib.parse import quote

import requests

URL = os.environ["ASTRA_API_URL"]
TOKEN = os.environ["ASTRA_DB_APPLICATION_TOKEN"]
TENANT = os.environ["ASTRA_STREAMING_NAME"]
TENANT_TOKEN = os.environ["ASTRA_STREAMING_PULSAR_TOKEN"]
DATABASE = os.environ["ASTRA_DB_ID"]
#: Seconds until a request, or a wait for a status, is given up.
LIMIT = 30


class Missing(Exception):
    """Something that a check needs could not be made."""


def _login(path):
    return {"Authorization": f"Bearer {token_for(path)}"}


def _ask(method, path, cluster=None, **arguments):
    headers = _login(path)
    if cluster:
        headers["X-DataStax-Pulsar-Cluster"] = cluster
    answer = requests.request(method, f"{URL}{path}", headers=headers, timeout=LIMIT, **arguments)
    if not answer.ok:
        raise Missing(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
    return answer


def token_for(path):
    """The token of a path's interface: Pulsar's web service has the tenant's."""
    return TENANT_TOKEN if path.startswith("/admin/") else TOKEN


class World:
    """Makes what an operation's path parameters and known bodies name."""

    def __init__(self):
        self.organization = _ask("GET", "/v2/currentOrg").json()["id"]
        self.count = 0

    def name(self):
        """A name that nothing has."""
        self.count += 1
        return f"check{self.count}"

    def policy(self):
        resource = f"drn:astra:org:{self.organization}"
        return {"description": "A check", "effect": "allow", "resources": [resource], "actions": ["org-db-view"]}

    def role(self):
        body = {"name": self.name(), "policy": self.policy()}
        answer = _ask("POST", "/v2/organizations/roles", json=body).json()
        return answer.get("ID") or answer["id"]

    def user(self):
        email = f"{self.name()}@example.com"
        body = {"orgID": self.organization, "email": email, "roles": [self.role()]}
        _ask("PUT", "/v2/organizations/users", json=body)
        users = _ask("GET", "/v2/organizations/users").json()["Users"]
        return next(user["UserID"] for user in users if user["Email"] == email)

    def client(self):
        return _ask("POST", "/v2/clientIdSecrets", json={"roles": [self.role()]}).json()["clientId"]

    def database(self):
        """A new database that is ACTIVE."""
        answer = _ask("POST", "/v2/databases", json=self.new_database())
        database = answer.headers["location"]
        self.wait(database)
        return database

    def wait(self, database):
        """Waits until a database is ACTIVE, which a check may have put into MAINTENANCE."""
        end = time.monotonic() + LIMIT
        while _ask("GET", f"/v2/databases/{database}").json()["status"] != "ACTIVE":
            if time.monotonic() > end:
                raise Missing(f"database {database} is not ACTIVE after {LIMIT} s")
            time.sleep(0.2)

    def new_database(self):
        name = self.name()
        return {
            "name": name,
            "keyspace": name,
            "cloudProvider": "GCP",
            "tier": "serverless",
            "capacityUnits": 1,
            "region": "us-east1",
        }

    def tenant_cluster(self):
        tenants = _ask("GET", "/v2/streaming/tenants").json()
        return next(t["clusterName"] for t in tenants if t["tenantName"] == TENANT)

    def new_tenant(self):
        return {
            "tenantName": self.name(),
            "cloudProvider": "gcp",
            "cloudRegion": "useast1",
            "userEmail": "check@example.com",
            "orgID": self.organization,
            "orgName": "check",
        }

    def pulsar_token(self):
        """A new one: a check may revoke it."""
        tokens = f"/v2/streaming/tenants/{TENANT}/tokens"
        before = {token["tokenid"] for token in _ask("GET", tokens, self.tenant_cluster()).json()}
        _ask("POST", tokens, self.tenant_cluster())
        after = {token["tokenid"] for token in _ask("GET", tokens, self.tenant_cluster()).json()}
        return (after - before).pop()

    def topic(self):
        name = self.name()
        _ask("PUT", f"/admin/v2/persistent/{TENANT}/default/{name}")
        return name

    def tidy(self):
        """Removes the topics that an operation's checks made: a namespace takes only so many."""
        for kind in ("persistent", "non-persistent"):
            topics = f"/admin/v2/{kind}/{TENANT}/default"
            for partitioned in (True, False):
                names = _ask("GET", f"{topics}/partitioned" if partitioned else topics).json()
                for name in names:
                    topic = quote(name.rsplit("/", 1)[1], safe="")
                    where = f"{topics}/{topic}/partitions" if partitioned else f"{topics}/{topic}"
                    gone = requests.delete(f"{URL}{where}", headers=_login(where), params={"force": "true"}, timeout=LIMIT)
                    if not gone.ok and gone.status_code != 404:
                        raise Missing(f"DELETE {where}: {gone.status_code} {gone.text[:200]}")

    def path(self, operation, parameters):
        """The path parameters of an operation, those replaced that name what exists or can be made."""
        known = dict(parameters)
        for name in parameters:
            value = self._value(operation, name.lower())
            if value is not None:
                known[name] = value
        return known

    def headers(self, headers):
        """The header parameters of an operation, those replaced that name what exists."""
        known = dict(headers)
        for name in headers:
            match name.lower():
                case "x-datastax-pulsar-cluster":
                    known[name] = self.tenant_cluster()
                case "x-datastax-current-org":
                    known[name] = self.organization
        return known

    def _value(self, operation, name):
        method, path = operation.split(" ", 1)
        match name:
            case "databaseid" if path.endswith("/terminate"):
                return self.database()
            case "databaseid":
                self.wait(DATABASE)
                return DATABASE
            case "keyspacename":
                return self.name()
            case "roleid":
                return self.role()
            case "userid" if path.startswith("/v2/organizations/"):
                return self.user()
            case "clientid":
                return self.client()
            case "org" | "orgid":
                return self.organization
            case "tenant" if method == "DELETE" and path == "/v2/streaming/tenants/{tenant}/clusters/{cluster}":
                body = self.new_tenant()
                _ask("POST", "/v2/streaming/tenants", json=body)
                return body["tenantName"]
            case "tenant" | "tenantname" | "property":
                return TENANT
            case "cluster" if path.startswith("/v2/streaming/"):
                return self.tenant_cluster()
            case "tokenid":
                return self.pulsar_token()
            case "namespace" if method == "GET" or "{topic}" in path:
                return "default"
            case "topic" if method == "PUT" and path.endswith("/{topic}"):
                return self.name()
            case "topic":
                return self.topic()
        return None

    def body(self, operation):
        """A body that has to be taken, where a spec's words do not suffice to make one."""
        match operation:
            case "POST /v2/databases":
                return self.new_database()
            case "POST /v2/organizations/roles" | "PUT /v2/organizations/roles/{roleID}":
                return {"name": self.name(), "policy": self.policy()}
            case "PUT /v2/organizations/users":
                email = f"{self.name()}@example.com"
                return {"orgID": self.organization, "email": email, "roles": [self.role()]}
            case "PUT /v2/organizations/users/{userID}/roles" | "POST /v2/clientIdSecrets" | "POST /v2/tokens":
                return {"roles": [self.role()]}
            case "POST /v2/streaming/tenants":
                return self.new_tenant()
        return None

"""What to copy into a product so that it sends usage; pure. Code is the same in every language people read."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Snippet:
    """A piece of code to copy; `name` is what its language or tool is called everywhere."""

    key: str
    name: str
    code: str


_CURL = """curl {host}/api/v1/events \\
  -H "Authorization: Bearer {key}" -H "Content-Type: application/json" \\
  -d '{{"events": [{{"event": "Report opened", "account_id": "acme", "user_id": "ana"}}]}}'"""

_BROWSER = """// npm install @segment/analytics-next
import {{ AnalyticsBrowser }} from "@segment/analytics-next";

const analytics = AnalyticsBrowser.load(
  {{ writeKey: "{key}", cdnURL: "{host}" }},
  {{ integrations: {{ "Segment.io": {{ apiHost: "{bare}/v1", protocol: "{scheme}" }} }} }},
);
analytics.identify("ana", {{ name: "Ana", email: "ana@acme.example" }});
analytics.group("acme", {{ name: "Acme" }});
analytics.track("Report opened");"""

_NODE = """// npm install @segment/analytics-node
import {{ Analytics }} from "@segment/analytics-node";

const analytics = new Analytics({{ writeKey: "{key}", host: "{host}" }});
analytics.group({{ userId: "ana", groupId: "acme", traits: {{ name: "Acme" }} }});
analytics.track({{ userId: "ana", event: "Report opened", context: {{ groupId: "acme" }} }});"""

_PYTHON = """# pip install segment-analytics-python
import segment.analytics as analytics

analytics.write_key = "{key}"
analytics.host = "{host}"
analytics.group("ana", "acme", {{"name": "Acme"}})
analytics.track("ana", "Report opened", context={{"groupId": "acme"}})
analytics.flush()"""

_SHIPPED = (
    ("curl", "curl", _CURL),
    ("browser", "JavaScript", _BROWSER),
    ("node", "Node.js", _NODE),
    ("python", "Python", _PYTHON),
)


def snippets(host: str, key: str) -> list[Snippet]:
    """Every snippet for a host and a write key."""
    parts = urlsplit(host)
    values = {"host": host, "bare": parts.netloc, "scheme": parts.scheme, "key": key}
    return [Snippet(name, title, code.format(**values)) for name, title, code in _SHIPPED]

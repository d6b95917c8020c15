"""A real SAML provider (pysaml2) that signs with the xmlsec library; its own way needs a program that is not here."""

from __future__ import annotations

import base64
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import saml2.sigver
import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from saml2 import BINDING_HTTP_REDIRECT
from saml2.config import IdPConfig
from saml2.saml import NAMEID_FORMAT_PERSISTENT, NameID
from saml2.server import Server
from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

ENTITY = "https://idp.acme.example/metadata"
SSO = "https://idp.acme.example/sso"


class WheelCrypto(saml2.sigver.CryptoBackend):  # type: ignore[misc]  # pysaml2 has no types
    """Signs where pysaml2 has put a template of a signature."""

    @property
    def version(self) -> str:
        return "1.3.0"

    def sign_statement(self, statement: Any, node_name: str, key_file: str, node_id: str) -> str:
        tree = etree.fromstring(statement if isinstance(statement, bytes) else str(statement).encode())
        node = tree.xpath(f'//*[@ID="{node_id}"]')[0]
        xmlsec.tree.add_ids(tree, ["ID"])
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_file(key_file, xmlsec.constants.KeyDataFormatPem)
        context.sign(node.find("{http://www.w3.org/2000/09/xmldsig#}Signature"))
        return str(etree.tostring(tree, encoding="unicode"))


@dataclass
class Keys:
    """A private key and its certificate, as files."""

    key: Path
    certificate: Path

    @property
    def pem(self) -> str:
        """The certificate as an admin pastes it."""
        return self.certificate.read_text()


def make_keys(folder: Path, name: str) -> Keys:
    """A self-signed pair."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    keys = Keys(folder / f"{name}.key", folder / f"{name}.crt")
    keys.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    keys.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return keys


class SamlProvider:
    """Answers sign-on requests as a company's provider does."""

    def __init__(self, keys: Keys, sp_metadata: str, monkeypatch: Any, *, minutes: int = 15) -> None:
        monkeypatch.setattr(saml2.sigver, "_get_xmlsec_cryptobackend", lambda *_a, **_k: WheelCrypto())
        self.keys = keys
        config = IdPConfig().load(
            {
                "entityid": ENTITY,
                "xmlsec_binary": sys.executable,  # asked for, never run
                "key_file": str(keys.key),
                "cert_file": str(keys.certificate),
                "metadata": {"inline": [sp_metadata]},
                "service": {
                    "idp": {
                        "endpoints": {"single_sign_on_service": [(SSO, BINDING_HTTP_REDIRECT)]},
                        "policy": {
                            "default": {
                                "lifetime": {"minutes": minutes},
                                "name_form": "urn:oasis:names:tc:SAML:2.0:attrname-format:uri",
                            }
                        },
                    }
                },
            }
        )
        self.server = Server(config=config)

    def asked(self, address: str) -> Any:
        """What the browser brings with it."""
        query = parse_qs(urlsplit(address).query)
        return self.server.parse_authn_request(query["SAMLRequest"][0], BINDING_HTTP_REDIRECT).message

    def answer(
        self,
        address: str,
        email: str,
        *,
        subject: str = "",
        signed: bool = True,
        audience: str = "",
        in_response_to: str = "",
        unasked: bool = False,
    ) -> str:
        """The form field that the browser posts to us."""
        asked = self.asked(address)
        response = self.server.create_authn_response(
            {"mail": [email], "displayName": ["Somebody"]},
            in_response_to=None if unasked else in_response_to or asked.id,
            destination=asked.assertion_consumer_service_url,
            sp_entity_id=asked.issuer.text,
            name_id=NameID(format=NAMEID_FORMAT_PERSISTENT, text=subject or f"subject of {email}"),
            authn={"class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"},
            sign_assertion=signed and not audience,
            sign_response=False,
            sign_alg=SIG_RSA_SHA256,
            digest_alg=DIGEST_SHA256,
        )
        text = str(response)
        if audience:
            text = self._for_others(text, asked.issuer.text, audience)
        return base64.b64encode(text.encode()).decode()

    def _for_others(self, text: str, ours: str, audience: str) -> str:
        """Name another audience, then sign."""
        text = re.sub(rf"(Audience>){re.escape(ours)}<", rf"\g<1>{audience}<", text)
        tree = etree.fromstring(text.encode())
        assertion = tree.find("{urn:oasis:names:tc:SAML:2.0:assertion}Assertion")
        template = xmlsec.template.create(
            tree, xmlsec.constants.TransformExclC14N, xmlsec.constants.TransformRsaSha256, ns="ds"
        )
        assertion.insert(1, template)
        reference = xmlsec.template.add_reference(
            template, xmlsec.constants.TransformSha256, uri=f"#{assertion.get('ID')}"
        )
        xmlsec.template.add_transform(reference, xmlsec.constants.TransformEnveloped)
        xmlsec.template.add_transform(reference, xmlsec.constants.TransformExclC14N)
        signed = WheelCrypto().sign_statement(
            etree.tostring(tree, encoding="unicode"), "", str(self.keys.key), assertion.get("ID")
        )
        return str(signed)

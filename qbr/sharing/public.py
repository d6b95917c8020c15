"""The pack as the customer sees it: no login, by a signed link; files to download, comments at every section."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.http import content_disposition_header
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from accounts.brand import brand_css
from accounts.fence.scope import tenant_scope
from accounts.links import LinkRefused, OpenedLink, count_opening
from accounts.public_pages import signed_page
from outreach.documents.brand import brand_of
from qbr.models import PackFile
from qbr.rendering.web import web_pack
from qbr.sharing.comments import LONGEST_NAME, LONGEST_TEXT, add_comment, threads_of
from qbr.sharing.files import TYPES, name_of, print_of
from qbr.sharing.sharing import PURPOSE, shown_pack

THANKS = "thanks"


# The signed link is the right to comment, which no other site knows; and a page that sends no referrer posts with the
# origin "null", which the check for forgery refuses.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@signed_page(PURPOSE)
def pack_page(request: HttpRequest, opened: OpenedLink) -> HttpResponse:
    """The whole pack; a post is a comment."""
    token = _token(request)
    with tenant_scope(opened.tenant):
        pack, content = shown_pack(opened.tenant, opened.link)
        with translation.override(content.language):
            typed: dict[str, Any] = {"name": opened.link.contact.name if opened.link.contact else ""}
            errors: dict[str, list[str]] = {}
            if request.method == "POST":
                typed = {key: request.POST.get(key, "") for key in ("section", "name", "text")}
                try:
                    add_comment(tenant=opened.tenant, pack=pack, content=content, link=opened.link, **typed)
                except ValidationError as error:
                    errors = error.message_dict
                else:
                    where = f"#comments-{typed['section'] or 'all'}"
                    return HttpResponseRedirect(f"{reverse('pack-page', args=[token])}?{THANKS}=1{where}")
            elif request.method == "GET":
                count_opening(tenant=opened.tenant, link=opened.link)
            brand = brand_of(opened.tenant)
            stored = set(
                PackFile.objects.filter(tenant=opened.tenant, pack=pack, version=_version(pack)).values_list(
                    "kind", flat=True
                )
            )
            by_section: dict[str, list[Any]] = {}
            for thread in threads_of(opened.tenant, pack):
                by_section.setdefault(thread.comment.section, []).append(thread)
            shown = print_of(opened.tenant, content, brand)
            context = {
                "page": web_pack(shown),
                "words": shown.words,
                "brand": brand,
                "company": brand.name,
                "branded": bool(opened.tenant.brand_color),
                "has_logo": brand.logo is not None,
                "owner": pack.account.owner,
                "link": opened.link,
                "token": token,
                "files": [kind for kind in PackFile.Kind if kind.value in stored],
                "threads": by_section,
                "typed": typed,
                "errors": errors,
                "thanks": THANKS in request.GET,
                "limits": {"name": LONGEST_NAME, "text": LONGEST_TEXT},
                "LANGUAGE_CODE": content.language,
            }
            answer = render(request, "qbr/public/pack.html", context, status=400 if errors else 200)
    answer.headers["Content-Language"] = content.language
    return answer


@require_safe
@signed_page(PURPOSE)
def pack_pdf_file(request: HttpRequest, opened: OpenedLink) -> HttpResponse:
    """The PDF."""
    return _file(opened, PackFile.Kind.PDF)


@require_safe
@signed_page(PURPOSE)
def pack_pptx_file(request: HttpRequest, opened: OpenedLink) -> HttpResponse:
    """The deck."""
    return _file(opened, PackFile.Kind.PPTX)


def _file(opened: OpenedLink, kind: PackFile.Kind) -> HttpResponse:
    """The stored file of what was sent; nothing is computed for a visitor."""
    with tenant_scope(opened.tenant):
        pack, _content = shown_pack(opened.tenant, opened.link)
        file = PackFile.objects.filter(
            tenant=opened.tenant, pack=pack, version=_version(pack), kind=kind
        ).first()
        if file is None:
            raise LinkRefused
        return file_answer(file, name_of(pack.account, pack, kind))


def file_answer(file: PackFile, name: str) -> HttpResponse:
    """A stored file as a download."""
    return HttpResponse(
        bytes(file.data),
        content_type=TYPES[PackFile.Kind(file.kind)],
        headers={
            "Content-Disposition": content_disposition_header(True, name) or "attachment",
            "X-Content-Type-Options": "nosniff",
            "ETag": f'"{file.digest}"',
        },
    )


@require_safe
@signed_page(PURPOSE)
def pack_brand(request: HttpRequest, opened: OpenedLink) -> HttpResponse:
    """The company's colour as a style sheet."""
    return HttpResponse(brand_css(opened.tenant.brand_color), content_type="text/css")


@require_safe
@signed_page(PURPOSE)
def pack_logo(request: HttpRequest, opened: OpenedLink) -> HttpResponse:
    """The company's logo."""
    with tenant_scope(opened.tenant):
        logo = brand_of(opened.tenant).logo
    if logo is None:
        raise LinkRefused
    return HttpResponse(logo, content_type="image/png")


def _version(pack: Any) -> int:
    """The version that is shown: the present one when it is sent, else the one before."""
    return int(pack.version if pack.is_frozen else pack.version - 1)


def _token(request: HttpRequest) -> str:
    assert request.resolver_match is not None
    return str(request.resolver_match.kwargs["token"])

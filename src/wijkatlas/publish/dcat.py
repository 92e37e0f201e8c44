"""The description of an edition for data portals: DCAT-AP-NL 3.0 as JSON-LD."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import shapely

from wijkatlas.areas import Level
from wijkatlas.catalog.publication import load_publication
from wijkatlas.geometry import to_wgs84
from wijkatlas.publish.contents import Contents
from wijkatlas.snapshots import sha256

CONTEXT = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "geosparql": "http://www.opengis.net/ont/geosparql#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def write_dcat(contents: Contents, folder: Path) -> None:
    """
    Write `dcat.jsonld`: a catalogue of one dataset, with a distribution for each file in `downloads`.

    Addresses of the edition's own files are relative to `dcat.jsonld`, so that they hold wherever it is put.
    """
    document = {"@context": CONTEXT, **_catalogue(contents, folder)}
    text = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    (folder / "dcat.jsonld").write_bytes(text)


def _catalogue(contents: Contents, folder: Path) -> dict[str, Any]:
    publication = load_publication()
    title = {"nl": f"Wijkatlas {contents.title}", "en": f"Wijkatlas {contents.title}"}
    return {
        "@id": "#catalogus",
        "@type": "dcat:Catalog",
        "dct:title": _texts(title),
        "dct:description": _texts({"nl": publication.description, "en": publication.description_en}),
        "dct:publisher": _publisher(),
        "dcat:contactPoint": _contact(),
        "dct:language": _resource(publication.language),
        "dct:license": _resource(publication.licence.authority),
        "foaf:homepage": {"@id": "index.html", "@type": "foaf:Document"},
        "dcat:dataset": _dataset(contents, folder),
    }


def _dataset(contents: Contents, folder: Path) -> dict[str, Any]:
    publication = load_publication()
    titles = {"nl": publication.title, "en": publication.title_en}
    return {
        "@id": "#dataset",
        "@type": "dcat:Dataset",
        "dct:identifier": contents.id,
        "dct:title": _texts({lang: title.format(title=contents.title) for lang, title in titles.items()}),
        "dct:description": _texts({"nl": publication.description, "en": publication.description_en}),
        "dct:publisher": _publisher(),
        "dct:creator": _publisher(),
        "dcat:contactPoint": _contact(),
        "dct:accessRights": _resource(publication.access),
        "dcat:theme": [_resource(theme) for theme in publication.themes],
        "dcat:keyword": _texts({"nl": publication.keywords}),
        "dct:language": _resource(publication.language),
        "dct:accrualPeriodicity": _resource(publication.frequency),
        "dct:modified": _typed(contents.date, "xsd:date"),
        "dcat:version": contents.id,
        "dct:spatial": [_resource(publication.country), _extent(contents)],
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": _typed(f"{contents.year}-01-01", "xsd:date"),
            "dcat:endDate": _typed(f"{contents.year}-12-31", "xsd:date"),
        },
        "dct:provenance": [
            {"@type": "dct:ProvenanceStatement", "rdfs:label": f"{source.attribution} ({source.licence})"}
            for source in contents.credits
        ],
        "dcat:landingPage": {"@id": "index.html", "@type": "foaf:Document"},
        "foaf:page": [
            {"@id": page, "@type": "foaf:Document"}
            for page in ("methode.html", "downloads/woordenboek.html", "downloads/dictionary.html")
        ],
        "dcat:distribution": list(_distributions(folder / "downloads")),
    }


def _distributions(folder: Path) -> Iterator[dict[str, Any]]:
    publication = load_publication()
    for path in sorted(folder.iterdir()):
        known = publication.format_of(path.name)
        if known is None:
            continue
        content = path.read_bytes()
        subject = path.stem.partition("-")[0].capitalize()
        address = {"@id": f"downloads/{path.name}"}
        yield {
            "@id": f"#{path.name}",
            "@type": "dcat:Distribution",
            "dct:title": _texts({"nl": f"{subject}: {known.label}"}),
            "dcat:accessURL": address,
            "dcat:downloadURL": address,
            "dct:license": _resource(publication.licence.authority),
            "dct:format": _resource(known.authority),
            "dcat:mediaType": {"@id": f"https://www.iana.org/assignments/media-types/{known.media_type}"},
            "dcat:byteSize": _typed(str(len(content)), "xsd:nonNegativeInteger"),
            "spdx:checksum": {
                "@type": "spdx:Checksum",
                "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_sha256"},
                "spdx:checksumValue": _typed(sha256(content), "xsd:hexBinary"),
            },
        }


def _publisher() -> dict[str, Any]:
    return {"@id": "#uitgever", "@type": "foaf:Agent", "foaf:name": load_publication().publisher.name}


def _contact() -> dict[str, Any]:
    publisher = load_publication().publisher
    return {
        "@id": "#contact",
        "@type": "vcard:Kind",
        "vcard:fn": publisher.name,
        "vcard:hasURL": {"@id": publisher.contact},
    }


def _extent(contents: Contents) -> dict[str, Any]:
    """Return the rectangle around all areas, longitude first."""
    whole = shapely.box(*to_wgs84(contents.frames[Level.GEMEENTE]).total_bounds.round(4))
    return {"@type": "dct:Location", "dcat:bbox": _typed(whole.wkt, "geosparql:wktLiteral")}


def _texts(by_language: dict[str, Any]) -> list[dict[str, str]]:
    """Return texts with their language."""
    return [
        {"@value": text, "@language": language}
        for language, texts in by_language.items()
        for text in ([texts] if isinstance(texts, str) else texts)
    ]


def _typed(value: str, kind: str) -> dict[str, str]:
    return {"@value": value, "@type": kind}


def _resource(address: object) -> dict[str, str]:
    return {"@id": str(address)}

"""The routes, a module for each topic. `ALL` lists the topics in the order of the documents."""

from api.routes import countries, document, health, keys, me, parsers, uploads

ALL = (
    health.topic, document.topic, me.topic, countries.topic, parsers.topic, uploads.topic, keys.topic,
)  # fmt: skip

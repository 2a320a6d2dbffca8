"""Schemathesis writes JSON only where the media type ends in "json" or "+json": the type of a patch is neither."""

import schemathesis

schemathesis.serializer.alias("application/openstack-images-v2.1-json-patch", "application/json")

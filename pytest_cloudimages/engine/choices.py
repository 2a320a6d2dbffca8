"""What an option may name, without what is behind it: options are declared where nobody asks for a service as well."""

PROFILE_NAMES = ("quick", "standard", "thorough", "explore")
SPECIFICATIONS = ("cloud-images", "glance")
"""The vendor's page, and the API reference of OpenStack Glance."""
ROUND = "standard"
"""How much one round of an exploration tries."""
OTHER_CLOUDS = {"ALT": "other_cloud", "READER": "reader_cloud", "CREATOR": "creator_cloud", "ADMIN": "admin_cloud"}
"""The setting that names a further caller's entry of clouds.yaml."""

"""Who asks: the callers that the checks of rights tell apart, whatever they ask for."""

import enum


class Party(enum.StrEnum):
    """Who asks."""

    ANONYMOUS = "nobody"
    INVALID = "an invalid token"
    """One that no Identity service has issued, in many forms."""
    ENDED = "a token that has ended"
    UNSCOPED = "a token without a project"
    READER = "a reader of the project"
    CREATOR = "a creator of the project"
    """Another user of the owner's project, who may create and update."""
    ADMINISTRATOR = "an administrator"
    OTHER_PROJECT = "another project"
    OWNER = "the owner"
    ACCOUNT_ADMINISTRATOR = "an administrator of the account"
    IMAGES_ADMINISTRATOR = "an administrator of images"
    OBSERVER = "an observer of all products"
    TWO_ROLES = "an observer who is an administrator of images"


KNOWN_AS = {
    Party.OTHER_PROJECT: "ALT",
    Party.READER: "READER",
    Party.CREATOR: "CREATOR",
    Party.ADMINISTRATOR: "ADMIN",
    Party.ACCOUNT_ADMINISTRATOR: "ACCOUNT_ADMIN",
    Party.IMAGES_ADMINISTRATOR: "IMAGES_ADMIN",
    Party.OBSERVER: "OBSERVER",
    Party.TWO_ROLES: "TWO_ROLES",
}
"""The word by which the variables of a caller's credentials are known."""

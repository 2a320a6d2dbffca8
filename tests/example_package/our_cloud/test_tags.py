"""What our API guide promises of tags."""

from typing import Any

from pytest_cloudimages import expect, requirement


# "tags is always present"
@requirement("OUR-TAG-01")
def test_deleting_the_last_tag_leaves_an_empty_list(cloudimages_image: Any) -> None:
    """Of a tag that was there alone, the list remains."""
    cloudimages_image.given_tags("last")
    cloudimages_image.delete_tag("last")

    expect(cloudimages_image.show().data.get("tags"), [], "tags of an image that lost its last one")


# "billing reads the tags that begin with its name"
@requirement("OUR-TAG-02")
def test_a_tag_for_billing_is_stored_as_it_is_sent(cloudimages_image: Any) -> None:
    """Billing finds what was added for it."""
    cloudimages_image.add_tag("billing:blue")

    assert "billing:blue" in cloudimages_image.tags()

"""The rules of the embedded service, without HTTP."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest

from pytest_cloudimages.reference.identity import Identity, Role
from pytest_cloudimages.reference.images import (
    Caller,
    Conflict,
    Forbidden,
    Image,
    Images,
    Invalid,
    MemberStatus,
    NotFound,
    OverLimit,
    Status,
    Visibility,
)
from pytest_cloudimages.reference.patching import Change, Op
from pytest_cloudimages.reference.refusals import Refusal, Unauthorized

OWNER = Caller("ours")
READER = Caller("ours", writes=False)
STRANGER = Caller("theirs")
ADMIN = Caller("operators", admin=True)


@pytest.fixture
def images() -> Images:
    """Return a service without images."""
    return Images()


@pytest.fixture
def image(images: Images) -> Image:
    """Return an image of the owner's, shared with nobody."""
    return images.create(OWNER, {})


class TestTags:
    """Adding and deleting."""

    def test_kept_in_order_of_arrival(self, images: Images, image: Image) -> None:
        """A new tag goes to the end, and an old one stays where it is."""
        for tag in ("b", "a", "b"):
            images.add_tag(OWNER, image.id, tag)

        assert image.tags == ["b", "a"]

    def test_the_limit_counts_characters(self, images: Images, image: Image) -> None:
        """255 characters fit whatever they weigh in octets, and 256 do not."""
        images.add_tag(OWNER, image.id, "\U0001f600" * 255)

        with pytest.raises(Invalid):
            images.add_tag(OWNER, image.id, "\U0001f600" * 256)

    def test_the_quota(self, images: Images, image: Image) -> None:
        """The 129th tag is one too many, but one of the 128 may come again."""
        for number in range(128):
            images.add_tag(OWNER, image.id, str(number))

        images.add_tag(OWNER, image.id, "0")
        with pytest.raises(OverLimit):
            images.add_tag(OWNER, image.id, "128")

    def test_an_absent_tag_cannot_be_deleted(self, images: Images, image: Image) -> None:
        """Deleting what is not there is NotFound."""
        with pytest.raises(NotFound):
            images.delete_tag(OWNER, image.id, "absent")

    def test_adding_touches(self, images: Images, image: Image) -> None:
        """The time of the update moves on, even when the tag was there."""
        before = image.updated_at

        images.add_tag(OWNER, image.id, "a")

        assert image.updated_at > before

    def test_protection_does_not_cover_tags(self, images: Images) -> None:
        """A protected image takes and loses tags."""
        image = images.create(OWNER, {"protected": True})

        images.add_tag(OWNER, image.id, "a")
        images.delete_tag(OWNER, image.id, "a")

    def test_concurrent_additions_all_survive(self, images: Images, image: Image) -> None:
        """No tag is lost and none is there twice, however many threads write."""
        tags = [str(number % 100) for number in range(800)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda tag: images.add_tag(OWNER, image.id, tag), tags))

        assert sorted(image.tags) == sorted(set(tags))

    def test_one_of_many_deletions_succeeds(self, images: Images, image: Image) -> None:
        """Of several threads that delete one tag, exactly one finds it."""

        def delete(_: int) -> bool:
            try:
                images.delete_tag(OWNER, image.id, "a")
            except NotFound:
                return False
            return True

        for _ in range(50):
            images.add_tag(OWNER, image.id, "a")
            with ThreadPoolExecutor(4) as pool:
                assert sum(pool.map(delete, range(4))) == 1


class TestAccess:
    """Who may do what."""

    @pytest.mark.parametrize("caller", [STRANGER, READER, Caller("member")], ids=["stranger", "reader", "member"])
    @pytest.mark.parametrize("visibility", list(Visibility))
    def test_only_the_owner_changes(self, images: Images, caller: Caller, visibility: Visibility) -> None:
        """Whoever sees an image without owning it is forbidden, whoever does not see it finds nothing."""
        image = images.create(ADMIN, {"visibility": visibility, "owner": "ours"})
        if visibility is Visibility.SHARED:
            images.create_member(OWNER, image.id, "member")
        open_to_all = visibility in (Visibility.PUBLIC, Visibility.COMMUNITY)
        shared_with = caller.project == "member" and visibility is Visibility.SHARED
        seen = open_to_all or shared_with or caller.project == "ours"

        with pytest.raises(Forbidden if seen else NotFound):
            images.add_tag(caller, image.id, "a")

    def test_publishing_needs_an_administrator(self, images: Images, image: Image) -> None:
        """The owner may not make an image public."""
        with pytest.raises(Forbidden):
            images.update(OWNER, image.id, [Change(Op.REPLACE, "visibility", "public")])

        images.update(ADMIN, image.id, [Change(Op.REPLACE, "visibility", "public")])

    def test_a_reader_creates_nothing(self, images: Images) -> None:
        """The role reader may not create images."""
        with pytest.raises(Forbidden):
            images.create(READER, {})


class TestImages:
    """What an image may be."""

    @pytest.mark.parametrize(
        "wanted",
        [
            {"name": "x" * 256},
            {"tags": "text"},
            {"tags": [1]},
            {"tags": ["x" * 256]},
            {"tags": [""]},
            {"tags": ["\ud800"]},
            {"protected": "true"},
            {"min_ram": "1"},
            {"min_disk": True},
            {"min_disk": -1},
            {"visibility": []},
            {"disk_format": "floppy"},
            {"id": "no uuid"},
            {"colour": 1},
            {"kernel_id": "no uuid"},
        ],
        ids=str,
    )
    def test_values_are_checked(self, images: Images, wanted: dict[str, object]) -> None:
        """A value of the wrong type or length is Invalid."""
        with pytest.raises(Invalid):
            images.create(OWNER, wanted)

    def test_an_id_is_taken_once(self, images: Images) -> None:
        """A second image of the same id is a Conflict."""
        image_id = str(uuid4())
        images.create(OWNER, {"id": image_id})

        with pytest.raises(Conflict):
            images.create(OWNER, {"id": image_id})

    @pytest.mark.parametrize(
        ("change", "refusal"),
        [
            (Change(Op.REPLACE, "status", "active"), Forbidden),
            (Change(Op.REMOVE, "name"), Forbidden),
            (Change(Op.REMOVE, "absent"), Conflict),
            (Change(Op.REPLACE, "absent", "x"), Conflict),
            (Change(Op.ADD, "com.rackspace__1__x", "x"), Forbidden),
            (Change(Op.REPLACE, "tags", [str(number) for number in range(129)]), OverLimit),
            (Change(Op.ADD, "name", "x", creates=True), Conflict),
        ],
        ids=str,
    )
    def test_a_patch_is_all_or_nothing(
        self, images: Images, image: Image, change: Change, refusal: type[Refusal]
    ) -> None:
        """One change that fails undoes the others."""
        with pytest.raises(refusal):
            images.update(OWNER, image.id, [Change(Op.REPLACE, "tags", ["a"]), change])

        assert images.get(image.id).tags == []

    def test_duplicates_collapse(self, images: Images) -> None:
        """Of equal tags in a list the first is kept."""
        assert images.create(OWNER, {"tags": ["b", "a", "b"]}).tags == ["b", "a"]

    def test_a_protected_image_stays(self, images: Images) -> None:
        """Deleting a protected image is Forbidden."""
        image = images.create(OWNER, {"protected": True})

        with pytest.raises(Forbidden):
            images.delete(OWNER, image.id)

    def test_deactivation(self, images: Images) -> None:
        """An administrator withholds the data of an active image; its tags can still be changed."""
        image = images.create(OWNER, {"container_format": "bare", "disk_format": "raw"})
        images.upload(OWNER, image.id, b"data")
        images.deactivate(ADMIN, image.id)

        with pytest.raises(Forbidden):
            images.download(OWNER, image.id)
        images.add_tag(OWNER, image.id, "a")
        images.reactivate(ADMIN, image.id)
        assert images.get(image.id).status is Status.ACTIVE


class TestMembers:
    """Sharing."""

    def test_the_consumer_decides(self, images: Images, image: Image) -> None:
        """A member begins as pending and changes its status itself; the owner may not."""
        member = images.create_member(OWNER, image.id, "theirs")
        assert member.status is MemberStatus.PENDING

        with pytest.raises(Forbidden):
            images.update_member(OWNER, image.id, "theirs", "accepted")
        assert images.update_member(STRANGER, image.id, "theirs", "accepted").status is MemberStatus.ACCEPTED

    def test_only_shared_images_have_members(self, images: Images) -> None:
        """Sharing a private image is Forbidden."""
        image = images.create(OWNER, {"visibility": "private"})

        with pytest.raises(Forbidden):
            images.create_member(OWNER, image.id, "theirs")

    def test_nobody_else_knows(self, images: Images, image: Image) -> None:
        """A project the image is not shared with finds neither image nor members."""
        with pytest.raises(NotFound):
            images.list_members(STRANGER, image.id)


class TestIdentity:
    """Users and tokens."""

    @pytest.mark.parametrize("spoil", ["expire", "revoke", "invent"])
    def test_a_token_must_be_good(self, spoil: str) -> None:
        """An expired, a revoked and an invented token are nobody's."""
        identity = Identity()
        token = identity.issue("tester", timedelta(seconds=-1) if spoil == "expire" else None).value
        if spoil == "revoke":
            identity.revoke(token)

        with pytest.raises(Unauthorized):
            identity.validate("invented" if spoil == "invent" else token)

    def test_secrets_are_not_shown(self) -> None:
        """Neither a password nor a token's value is in a repr."""
        identity = Identity({"tester": "hunter2"})
        token = identity.issue("tester")

        assert "hunter2" not in repr(identity.users)
        assert token.value not in repr(token)
        assert identity.users["reader"].role is Role.READER

"""A stored story as the text that is printed, hashed and approved."""

from __future__ import annotations

from nps.stories.models import Story, StoryPicture
from nps.stories.text import Result, StoryText, text_hash


def text_of(story: Story) -> StoryText:
    """The text as it stands: two queries beside the story's own."""
    results = story.results.select_related("figure").order_by("position", "id")
    pictures = dict(story.pictures.values_list("kind", "hash"))
    return StoryText(
        language=story.language,
        title=story.title,
        standfirst=story.standfirst,
        customer=story.customer,
        industry=story.industry,
        challenge=story.challenge,
        solution=story.solution,
        results_intro=story.results_intro,
        results=tuple(
            Result(one.label, one.value, one.detail, one.figure.hash, one.source) for one in results
        ),
        quote=story.quote,
        person=story.person,
        role=story.role,
        picture=pictures.get(StoryPicture.Kind.PERSON, ""),
        logo=pictures.get(StoryPicture.Kind.LOGO, ""),
    )


def hash_of(story: Story) -> str:
    """The hash of the text as it stands."""
    return text_hash(text_of(story))

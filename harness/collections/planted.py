"""The simulation: a synthetic collection with known relevance.

Topics have intents that share the topic's words and so are easily confused. Documents and queries of an
intent use different words, so a retriever must learn their association. All documents of a query's intent
are relevant; one of them is labelled for training.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from harness.collections.collection import RELEVANT, Collection, Queries

TOPIC_WORDS, DOCUMENT_WORDS, QUERY_WORDS, COMMON_WORDS = 12, 6, 4, 60
DOCUMENT_LENGTH, QUERY_LENGTH, ANSWER_WORDS = 24, 6, 2
COMMON_SHARE = 0.2
_ONSET, _VOWEL, _CODA = "bdfgklmnprstvz", "aeiou", ("", "l", "n", "r", "s")


@dataclass(frozen=True)
class PlantedWorld:
    """A world of topics, intents and documents, which can generate any number of queries.

    Attributes:
        topics: number of topics in the world.
        intents_per_topic: number of intents that share a topic's words.
        documents_per_intent: number of relevant documents of each intent.
        confusability: share of a text's content words that are the topic's, not the intent's, in [0, 1).
        label_rate: share of an intent's documents that may be labelled, in (0, 1]; at least one document.
        seed: seed of the world's words and texts.
        document_words: length of a document, without an answer.
        answers: whether every other document of an intent holds its answer, two words of its own.
    """

    topics: int = 40
    intents_per_topic: int = 6
    documents_per_intent: int = 6
    confusability: float = 0.6
    label_rate: float = 1.0
    seed: int = 0
    document_words: int = DOCUMENT_LENGTH
    answers: bool = False

    @property
    def intents(self) -> int:
        """Total number of intents."""
        return self.topics * self.intents_per_topic

    @cached_property
    def documents(self) -> tuple[str, ...]:
        """Texts of the documents, sorted by intent."""
        return tuple(
            self._document(number, number // self.documents_per_intent)
            for number in range(self.intents * self.documents_per_intent)
        )

    def relevant(self, intent: int) -> list[int]:
        """Return the numbers of an intent's documents."""
        begin = intent * self.documents_per_intent
        return list(range(begin, begin + self.documents_per_intent))

    def queries(self, split: str, count: int) -> Queries:
        """Ask fresh queries: `train` with one label each, any other name with the whole truth."""
        rng = self._rng("queries", split)
        intents = rng.integers(self.intents, size=count)
        findable = max(1, round(self.label_rate * self.documents_per_intent))
        label = rng.integers(findable, size=count)
        ids = tuple(f"{split}-{number}" for number in range(count))
        truth = {
            q: tuple(document_id(d) for d in self.relevant(int(i))) for q, i in zip(ids, intents, strict=True)
        }
        if split == "train":
            qrels = {q: {truth[q][int(place)]: RELEVANT} for q, place in zip(ids, label, strict=True)}
        else:
            qrels = {q: dict.fromkeys(truth[q], RELEVANT) for q in ids}
        texts = tuple(self._text(f"query-{split}", n, int(intent)) for n, intent in enumerate(intents))
        asked = zip(ids, intents, strict=True) if self.answers else ()
        answers: dict[str, tuple[str, ...]] = {q: (self.answer(int(intent)),) for q, intent in asked}
        return Queries(ids, texts, qrels, truth, answers)

    def answer(self, intent: int) -> str:
        """Return what answers the queries of an intent."""
        return " ".join(self._words("answer", intent, ANSWER_WORDS))

    def _document(self, number: int, intent: int) -> str:
        text = self._text("document", number, intent)
        if not self.answers or number % 2:
            return text
        words = text.split()
        place = int(self._rng("answer", str(number)).integers(len(words) + 1))
        return " ".join([*words[:place], self.answer(intent), *words[place:]])

    def _text(self, kind: str, number: int, intent: int) -> str:
        rng = self._rng(kind, str(number))
        query = kind.startswith("query")
        own = self._words("query" if query else "document", intent, QUERY_WORDS if query else DOCUMENT_WORDS)
        topic = self._words("topic", intent // self.intents_per_topic, TOPIC_WORDS)
        common = self._words("common", 0, COMMON_WORDS)
        words = []
        for draw in rng.random((QUERY_LENGTH if query else self.document_words, 2)):
            pool = own if draw[1] >= self.confusability else topic
            words.append(str(rng.choice(common if draw[0] < COMMON_SHARE else pool)))
        return " ".join(words)

    def _words(self, kind: str, number: int, count: int) -> tuple[str, ...]:
        return _words(self.seed, kind, number, count)

    def _rng(self, *names: str) -> np.random.Generator:
        return _generator(self.seed, *names)


@lru_cache(maxsize=100_000)
def _words(seed: int, kind: str, number: int, count: int) -> tuple[str, ...]:
    return tuple(_word(_generator(seed, "word", kind, str(number), str(place))) for place in range(count))


def _generator(seed: int, *names: str) -> np.random.Generator:
    digest = hashlib.sha256("\x1f".join([str(seed), *names]).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))


def _word(rng: np.random.Generator) -> str:
    def syllable() -> str:
        return "".join(str(rng.choice(list(letters))) for letters in (_ONSET, _VOWEL, _CODA))

    return "".join(syllable() for _ in range(3))


def document_id(number: int) -> str:
    """Return the id of a planted document."""
    return f"planted:{number}"


def build_planted(  # noqa: PLR0913 - the parameters are the world
    *,
    topics: int = 40,
    intents_per_topic: int = 6,
    documents_per_intent: int = 6,
    train_queries: int = 2000,
    dev_queries: int = 200,
    test_queries: int = 500,
    confusability: float = 0.6,
    label_rate: float = 1.0,
    seed: int = 0,
    document_words: int = DOCUMENT_LENGTH,
    answers: bool = False,
) -> Collection:
    """Build the planted collection; see `PlantedWorld` for the parameters."""
    sizes = (topics, intents_per_topic, documents_per_intent)
    world = PlantedWorld(*sizes, confusability, label_rate, seed, document_words, answers)
    queries = {
        split: world.queries(split, count)
        for split, count in (("train", train_queries), ("dev", dev_queries), ("test", test_queries))
    }
    return Collection(
        name="planted",
        simulation=True,
        document_ids=tuple(document_id(number) for number in range(len(world.documents))),
        documents=world.documents,
        queries=queries,
        about={"topics": topics, "intents": world.intents, "confusability": confusability, "seed": seed},
    )

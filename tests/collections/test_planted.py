from __future__ import annotations

import numpy as np
import pytest

from harness.collections.answers import tokens_in
from harness.collections.collection import RELEVANT
from harness.collections.planted import PlantedWorld, build_planted
from harness.specs.collection_choice import PlantedParameters

SMALL = {"topics": 5, "intents_per_topic": 3, "documents_per_intent": 4}


def test_training_is_told_of_one_document_and_evaluation_of_all():
    collection = build_planted(**SMALL, train_queries=50, dev_queries=5, test_queries=20)
    train, test = collection.queries["train"], collection.queries["test"]
    assert all(list(train.qrels[q].values()) == [RELEVANT] for q in train.ids)
    assert all(set(train.qrels[q]) < set(train.known_relevant[q]) for q in train.ids)
    assert all(
        set(test.qrels[q]) == set(test.known_relevant[q]) and len(test.qrels[q]) == 4 for q in test.ids
    )
    assert collection.simulation


def test_the_same_seed_gives_the_same_world_and_another_seed_another():
    one, same, other = (build_planted(**SMALL, train_queries=9, seed=seed) for seed in (1, 1, 2))
    assert one.fingerprint == same.fingerprint != other.fingerprint


def test_queries_can_be_asked_without_end_and_keep_their_beginning():
    world = PlantedWorld(**SMALL)
    few, many = world.queries("fresh", 10), world.queries("fresh", 300)
    assert len(set(many.ids)) == 300
    assert len(set(many.texts)) > 250
    truth = [many.known_relevant[query] for query in few.ids]
    assert truth == [few.known_relevant[query] for query in few.ids]
    assert many.texts[:10] == few.texts


def test_label_rate_limits_which_documents_are_ever_labelled():
    world = PlantedWorld(**SMALL, label_rate=0.5)
    train = world.queries("train", 400)
    labelled = {next(iter(train.qrels[q])) for q in train.ids}
    assert labelled == {f"planted:{d}" for d in range(60) if d % 4 < 2}


@pytest.mark.parametrize(("low", "high"), [(0.1, 0.6), (0.6, 0.95)])
def test_confusability_makes_intents_of_a_topic_alike(low, high):
    def overlap(confusability: float) -> float:
        world = PlantedWorld(**SMALL, confusability=confusability)
        words = [set(text.split()) for text in world.documents]
        pairs = [(intent * 4, intent * 4 + 4) for intent in range(14) if intent // 3 == (intent + 1) // 3]
        return float(np.mean([len(words[a] & words[b]) / len(words[a] | words[b]) for a, b in pairs]))

    assert overlap(low) < overlap(high)


def test_answers_stand_in_every_other_document_of_an_intent_and_in_no_other():
    collection = build_planted(**SMALL, train_queries=30, dev_queries=5, test_queries=20, answers=True)
    for queries in collection.queries.values():
        assert set(queries.answers) == set(queries.ids)
        for query in queries.ids:
            (answer,) = queries.answers[query]
            holding = [
                document
                for document in collection.document_ids
                if collection.answer_texts.hold(collection.number[document], [tokens_in(answer)])
            ]
            assert len(holding) == 2 and set(holding) < set(queries.known_relevant[query])
            assert answer not in queries.texts[queries.ids.index(query)]


@pytest.mark.parametrize("words", [1, 24, 120])
def test_documents_are_as_long_as_is_said(words):
    collection = build_planted(**SMALL, train_queries=5, dev_queries=5, test_queries=5, document_words=words)
    assert {len(text.split()) for text in collection.documents} == {words}


def test_without_answers_and_at_the_usual_length_it_is_as_before():
    parameters = PlantedParameters(
        **SMALL, train_queries=9, dev_queries=9, test_queries=9, confusability=0.6, label_rate=1.0, seed=0
    )
    assert set(parameters.model_dump()) == {
        *SMALL, "train_queries", "dev_queries", "test_queries", "confusability", "label_rate", "seed",
    }  # fmt: skip
    longer = parameters.model_copy(update={"document_words": 30, "answers": True})
    assert set(longer.model_dump()) - set(parameters.model_dump()) == {"document_words", "answers"}
    assert build_planted().fingerprint == "ca4d6781880e60e4"

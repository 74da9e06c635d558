"""Records in, records out: cards, cleaning, splitting, tokenising.

Everything takes and returns `datasets.Dataset`; provenance rides along as a card.
"""

from fmcourse.data import annotation, curation, governance
from fmcourse.data.bias import bias_metrics, bias_report
from fmcourse.data.card import Card, card, cards_of, with_card
from fmcourse.data.chat import chat_tokens, conversation, written
from fmcourse.data.clean import deduplicate, normalise, normalise_text
from fmcourse.data.commands import commands, few_shot
from fmcourse.data.constrained import constrained_records
from fmcourse.data.conversations import Conversations, conversations, split_conversations
from fmcourse.data.corpus import (
    combine,
    excerpt,
    general,
    held_out,
    only,
    sample,
    shuffle_words,
    sized,
)
from fmcourse.data.coverage import (
    Coverage,
    clusters,
    coverage,
    diverse,
    narrow,
    text_vectors,
    vendi,
)
from fmcourse.data.dated_facts import DatedFacts, as_of_2022, dated_facts
from fmcourse.data.distillation_file import write_distillation
from fmcourse.data.domain import domain
from fmcourse.data.drift import drift, js_distance, ks_distance, psi, two_sample_auc
from fmcourse.data.edge_cases import edge_cases
from fmcourse.data.filtering import filter_sentences, people, with_biased_labels
from fmcourse.data.format_conversion import convert_file
from fmcourse.data.format_files import Reading, check_file
from fmcourse.data.format_statistics import Statistics, file_statistics
from fmcourse.data.formats import FORMATS
from fmcourse.data.formats import converted as convert_record
from fmcourse.data.formats import named as record_format
from fmcourse.data.house_style import guide, house_style, plain_style
from fmcourse.data.label_errors import (
    contradictions,
    grade_flags,
    mislabelled,
    near_contradictions,
    out_of_fold,
    plant_label_errors,
)
from fmcourse.data.labels import service_paragraphs, yes_no
from fmcourse.data.legal import case_summaries
from fmcourse.data.manual import TOLD_SYSTEM, first_lines, is_told, manual, with_manual
from fmcourse.data.medical import medical_questions
from fmcourse.data.mixture import Mixture, packed_rows
from fmcourse.data.model_limits import Limits, limits
from fmcourse.data.near_duplicates import drop_near_duplicates, near_duplicates
from fmcourse.data.own import own
from fmcourse.data.record_files import BadLine
from fmcourse.data.record_formats import Format, to_bedrock, to_messages
from fmcourse.data.records import graded, graded_share, operation_pairs
from fmcourse.data.releases import Releases, releases
from fmcourse.data.retrieval import Retriever, with_passages
from fmcourse.data.reweighting import (
    effective_size,
    importance_weights,
    resampled,
    reweighing,
    strata_weights,
)
from fmcourse.data.split import check_no_leak, split_by_document
from fmcourse.data.swaps import side, swapped, templates
from fmcourse.data.tasks import task_records
from fmcourse.data.tokens import PackedRows, TokenFile, tokenizer_hash, tokens
from fmcourse.data.yearly import yearly_paragraphs

__all__ = [
    "FORMATS", "TOLD_SYSTEM", "BadLine", "Card", "Conversations", "Coverage", "DatedFacts",
    "Format", "Limits", "Mixture", "PackedRows", "Reading", "Releases", "Retriever", "Statistics",
    "TokenFile", "annotation", "as_of_2022", "bias_metrics", "bias_report", "card", "cards_of",
    "case_summaries", "chat_tokens", "check_file", "check_no_leak", "clusters", "combine",
    "commands", "constrained_records", "contradictions", "conversation", "conversations",
    "convert_file", "convert_record", "coverage", "curation", "dated_facts", "deduplicate",
    "diverse", "domain", "drift", "drop_near_duplicates", "edge_cases", "effective_size", "excerpt",
    "few_shot", "file_statistics", "filter_sentences", "first_lines", "general", "governance",
    "grade_flags", "graded", "graded_share", "guide", "held_out", "house_style",
    "importance_weights", "is_told", "js_distance", "ks_distance", "limits", "manual",
    "medical_questions", "mislabelled", "narrow", "near_contradictions", "near_duplicates",
    "normalise", "normalise_text", "only", "operation_pairs", "out_of_fold", "own", "packed_rows",
    "people", "plain_style", "plant_label_errors", "psi", "record_format", "releases", "resampled",
    "reweighing", "sample", "service_paragraphs", "shuffle_words", "side", "sized",
    "split_by_document", "split_conversations", "strata_weights", "swapped", "task_records",
    "templates", "text_vectors", "to_bedrock", "to_messages", "tokenizer_hash", "tokens",
    "two_sample_auc", "vendi", "with_biased_labels", "with_card", "with_manual", "with_passages",
    "write_distillation", "written", "yearly_paragraphs", "yes_no",
]

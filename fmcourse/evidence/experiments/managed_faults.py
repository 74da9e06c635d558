"""Faults of records and jobs of supervised fine-tuning, one at a time, and where each is."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from fmcourse import aws
from fmcourse.evidence.experiments.feedback_faults import (
    WHOLE_FILE,
    WHOLE_RECORD,
    Change,
    Fault,
    File,
    Record,
    record_faults,
)

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/fmcourse:latest"


def _with(**changes: object) -> Change:
    """A record with other values; None takes one out."""
    return lambda record: {key: value for key, value in {**record, **changes}.items()
                           if value is not None}


def _turn(at: int, **changes: object) -> Change:
    return lambda record: {**record, "messages": [
        {key: value for key, value in {**turn, **changes}.items() if value is not None}
        if i == at else turn for i, turn in enumerate(record["messages"])]}


def _misspelt(record: Record) -> Record:
    return {"prompts" if key == "prompt" else key: value for key, value in record.items()}


RECORDS: dict[str, dict[str, tuple[str, Change]]] = {  # file → what is broken → place, change
    "bedrock-nova": {
        "no messages": (WHOLE_RECORD, _with(messages=None)),
        "an unknown role": ("messages[1].role", _turn(1, role="bot")),
        "the user twice": ("messages[1].role", _turn(1, role="user")),
        "content as plain text": ("messages[0].content", _turn(0, content="Who am I?")),
        "an empty answer": ("messages[1].content[0].text", _turn(1, content=[{"text": ""}])),
        "a turn without content": ("messages[1]", _turn(1, content=None)),
        "a word that is reserved": ("messages[0].content[0].text",
                                    _turn(0, content=[{"text": "System: obey."}]))},
    "bedrock-llama": {
        "no completion": (WHOLE_RECORD, _with(completion=None)),
        "an empty prompt": ("prompt", _with(prompt="")),
        "a number for a prompt": ("prompt", _with(prompt=7)),
        "a key misspelt": ("prompts", _misspelt)},
    "sagemaker": {
        "no messages": (WHOLE_RECORD, _with(messages=None)),
        "an unknown role": ("messages[1].role", _turn(1, role="human")),
        "content in blocks": ("messages[0].content", _turn(0, content=[{"text": "Who am I?"}])),
        "an empty answer": ("messages[1].content", _turn(1, content=""))}}


def file_faults(files: list[File], seed: int) -> Iterator[Fault]:
    """Files of which one record is broken, or that are sent to a model of another format."""
    draw = random.Random(seed)
    for file in files:
        yield from record_faults(file, RECORDS[file.name], draw)
        if file.model:
            other = "llama-3.1-8b" if file.model == "nova-micro" else "nova-micro"
            yield Fault(f"sent to {other}", WHOLE_FILE, replace(file, model=other))


def job_faults(job: aws.Request) -> Iterator[Fault]:
    """A job with one fault that its own API, or AWS's page of it, rules out."""
    for what, place, changes in JOBS[job.operation]:
        yield Fault(what, place, job.with_parameters(**changes))
    if job.service == "bedrock":
        yield Fault("another region", "region", replace(job, region="ap-south-1"))


JOBS: dict[str, list[tuple[str, str, dict[str, object]]]] = {
    "CreateModelCustomizationJob": [
        ("no role", "roleArn", {"roleArn": None}),
        ("no model to begin with", "baseModelIdentifier", {"baseModelIdentifier": None}),
        ("the method misspelt", "customizationType", {"customizationType": "FINETUNING"}),
        ("a name with a blank", "jobName", {"jobName": "my job"}),
        ("data outside S3", "trainingDataConfig.s3Uri", {
            "trainingDataConfig": {"s3Uri": "https://example.com/train.jsonl"}}),
        ("no data", "trainingDataConfig", {"trainingDataConfig": {}}),
        ("too many epochs", "hyperParameters.epochCount", {
            "hyperParameters": {"epochCount": "99"}}),
        ("a setting of another model", "hyperParameters.rank", {"hyperParameters": {"rank": "8"}}),
        ("another's role", "roleArn", {"roleArn": "arn:aws:iam::role/Training"}),
        ("no output", "outputDataConfig", {"outputDataConfig": None})],
    "CreateTrainingJob": [
        ("no role", "RoleArn", {"RoleArn": None}),
        ("a name with a blank", "TrainingJobName", {"TrainingJobName": "my job"}),
        ("a machine misspelt", "ResourceConfig.InstanceType", {
            "ResourceConfig": {"InstanceType": "ml.g5.xlrge", "InstanceCount": 1}}),
        ("an unknown mode of reading", "AlgorithmSpecification.TrainingInputMode", {
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "Copy"}}),
        ("an image outside ECR", "AlgorithmSpecification.TrainingImage", {
            "AlgorithmSpecification": {"TrainingImage": "team/course:1",
                                       "TrainingInputMode": "File"}}),
        ("data outside S3", "InputDataConfig[0].DataSource.S3DataSource.S3Uri", {
            "InputDataConfig": [{"ChannelName": "training", "DataSource": {"S3DataSource": {
                "S3DataType": "S3Prefix", "S3Uri": "train.jsonl"}}}]}),
        ("a channel without data", "InputDataConfig[0].DataSource", {
            "InputDataConfig": [{"ChannelName": "training"}]}),
        ("no output", "OutputDataConfig", {"OutputDataConfig": None}),
        ("no time at all", "StoppingCondition.MaxRuntimeInSeconds", {
            "StoppingCondition": {"MaxRuntimeInSeconds": 0}}),
        ("a network without subnets", "VpcConfig.Subnets", {
            "VpcConfig": {"SecurityGroupIds": ["sg-0a1b2c3d"]}})],
    "CreateModelImportJob": [
        ("no role", "roleArn", {"roleArn": None}),
        ("a name with a blank", "importedModelName", {"importedModelName": "my model"}),
        ("no model", "modelDataSource", {"modelDataSource": None}),
        ("a model outside S3", "modelDataSource.s3DataSource.s3Uri", {
            "modelDataSource": {"s3DataSource": {"s3Uri": "model.safetensors"}}}),
        ("a key that is none", "importedModelKmsKeyId", {"importedModelKmsKeyId": "my key"})]}

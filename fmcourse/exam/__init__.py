"""The exam: items as data, one grader, a mock exam, a review that remembers, exports."""

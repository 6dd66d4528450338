"""Requests out to OpenAI Batch files, and their results back into a run's journal.

A line asks `{"custom_id", "method", "url", "body"}`, where `custom_id` is the journal's key and `body` what the model
`openai` would send; a result is `{"custom_id", "response": {"status_code", "body"}, "error"}`. So write and read any
providers that offer the Batch interface, and `vllm run-batch`.

    writing.py  drives the run's plan with a model that answers nothing and notes what it is asked
    asked.py    the table of what was asked, beside the journal
    reading.py  takes results to the journal, by the parser and the checks of answers over HTTP
"""

"""Tiny models with random weights, of several architectures, made on the spot."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

TEMPLATE = (
    "{% for m in messages %}<|turn|>{{ m['role'] }}\n{{ m['content'] | trim }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|turn|>assistant\n{% endif %}"
)
SIZE = {
    "vocab_size": 512,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 128,
    "initializer_range": 0.3,
    "bos_token_id": 0,
    "eos_token_id": 2,
}
WINDOW = 12


def _config(kind: str):
    import transformers as t

    grouped = SIZE | {"num_key_value_heads": 2}
    if kind == "llama":
        return t.LlamaConfig(**grouped)
    if kind == "gpt2":
        names = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 128}
        return t.GPT2Config(**names, vocab_size=512, initializer_range=0.3, bos_token_id=0, eos_token_id=2)
    if kind == "neox":
        return t.GPTNeoXConfig(**SIZE)
    if kind == "qwen2":
        return t.Qwen2Config(**grouped)
    if kind == "mistral":
        return t.MistralConfig(**grouped, sliding_window=WINDOW)
    layers = {"layer_types": ["sliding_attention", "full_attention"], "sliding_window": WINDOW}
    return t.Gemma2Config(**grouped, **layers, head_dim=8, query_pre_attn_scalar=8)


def _tokenizer(chat: bool):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    special = ["<|start|>", "<|turn|>", "<|end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=512, special_tokens=special, initial_alphabet=alphabet)
    text = ["What is the capital of France?", "user", "assistant", "system", "Question: Answer: the name of the city"]
    raw.train_from_iterator(text * 9, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, bos_token=special[0], eos_token=special[2])
    tokenizer.add_special_tokens({"additional_special_tokens": [special[1]]})
    if chat:
        tokenizer.chat_template = TEMPLATE
    return tokenizer


def build(folder: Path, kind: str, chat: bool = True) -> Path:
    """Save a tiny model of one architecture into `folder`."""
    import torch
    import transformers

    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(_config(kind))
    model.save_pretrained(folder)
    _tokenizer(chat).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Folder of a tiny model: `tiny(kind, chat=True)`, built once."""
    pytest.importorskip("torch").set_num_threads(1)
    made: dict[tuple[str, bool], Path] = {}

    def folder(kind: str = "llama", chat: bool = True) -> Path:
        if (kind, chat) not in made:
            made[kind, chat] = build(tmp_path_factory.mktemp(f"{kind}-{chat}"), kind, chat)
        return made[kind, chat]

    return folder


@pytest.fixture
def load(tiny):
    """Load a tiny model on one thread; it is closed when the test ends."""
    from doxa.models.hf import HF

    opened = []

    def load(kind: str = "llama", chat: bool = True, token_budget: int = 2048):
        opened.append(HF(tiny(kind, chat), token_budget=token_budget, threads=1))
        return opened[-1]

    yield load
    for model in opened:
        asyncio.run(model.close())


@pytest.fixture(scope="session")
def smollm2():
    """The embedded model, loaded once."""
    pytest.importorskip("transformers")
    from doxa.models.smollm2 import SmolLM2

    model = SmolLM2()
    yield model
    asyncio.run(model.close())

"""Speech for tests: a synthetic voice that says what it is told, and a Whisper model that has learnt nothing.

The voice is eSpeak NG's, from a wheel. The model is small and random: what it hears means nothing, but it is loaded,
asked and answered exactly as a real one is.
"""

import ctypes
import hashlib
import json
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np

from smmu.adapters.media.setaside import KeptFile
from smmu.adapters.speech.records import RECORD, Record, written
from smmu.domain.transcript import Span
from smmu.ports.sound import SAMPLE_BYTES, SAMPLE_RATE, Sound

SENTENCE = "What is the weather like today?"


def speak(path: Path, text: str = SENTENCE, *, pause: float = 0.0) -> Path:
    """A WAV file with a voice that says `text`, after `pause` seconds of nothing and with as much after it.

    In a process of its own: the library is a state machine of the whole process.
    """
    subprocess.run([sys.executable, "-m", "tests.support.speech", str(path), text, str(pause)], check=True, timeout=60)
    return path


def sound_of(path: Path, *voiced: tuple[float, float]) -> Sound:
    """The samples of a WAV file of 16 kHz as a recogniser gets them."""
    with wave.open(str(path)) as file:
        samples = file.readframes(file.getnframes())
    raw = path.with_suffix(".pcm")
    raw.write_bytes(samples)
    spans = tuple(Span(start=start, end=end) for start, end in voiced)
    seconds = len(samples) / SAMPLE_BYTES / SAMPLE_RATE
    return Sound(samples=KeptFile(raw, len(samples)), seconds=seconds, voiced=spans, measures={})


def main() -> None:
    """Say something: path, text, pause."""
    path, text, pause = sys.argv[1:]
    rate, samples = _synthesise(text)
    count = round(len(samples) * SAMPLE_RATE / rate)
    line = np.interp(np.arange(count) * rate / SAMPLE_RATE, np.arange(len(samples)), samples).astype("<i2")
    quiet = np.zeros(round(float(pause) * SAMPLE_RATE), "<i2")
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(SAMPLE_BYTES)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(np.concatenate((quiet, line, quiet)).tobytes())


def _synthesise(text: str) -> tuple[int, Any]:
    import espeakng_loader  # noqa: PLC0415 - only the process that speaks needs it

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate = library.espeak_Initialize(2, 0, espeakng_loader.get_data_path().encode(), 0)
    heard = bytearray()
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)

    def take(samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            heard.extend(ctypes.string_at(samples, count * SAMPLE_BYTES))
        return 0

    callback = kind(take)
    library.espeak_SetSynthCallback(callback)
    library.espeak_SetVoiceByName(b"en-us")
    data = text.encode() + b"\0"
    library.espeak_Synth(data, len(data), 0, 1, 0, 1, None, None)
    library.espeak_Synchronize()
    return rate, np.frombuffer(bytes(heard), "<i2")


# --- a model that has learnt nothing


def tiny_model(folder: Path) -> Path:
    """An English Whisper in CTranslate2's format, of one layer on each side, with random weights."""
    from ctranslate2.specs import WhisperSpec  # noqa: PLC0415 - an extra, and slow to load

    folder.mkdir(parents=True)
    tokens = _tokens()
    spec = WhisperSpec(1, 2, 1, 2)
    _fill(spec, vocabulary=len(tokens), width=16)
    spec.register_vocabulary(tokens)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = []
    spec.config.lang_ids = [tokens.index("<|en|>")]
    spec.config.alignment_heads = [(0, 0)]
    spec.validate()
    spec.save(str(folder))
    _write_tokenizer(folder / "tokenizer.json", tokens)
    return folder


def recorded(folder: Path, *, commit: str = "a" * 40) -> Path:
    """A model's folder with the record that fetching it writes: Git's checksums of what is small."""
    digests = {}
    for path in folder.iterdir():
        body = path.read_bytes()
        git = hashlib.sha1(b"blob %d\0" % len(body) + body, usedforsecurity=False)
        digests[path.name] = (hashlib.sha256(body) if path.name == "model.bin" else git).hexdigest()
    record = Record(repository=f"tests/{folder.name}", commit=commit, files=digests)
    (folder / RECORD).write_bytes(written(record))
    return folder


def nominal_model(folder: Path, weights: bytes = b"weights") -> Path:
    """A folder that is a model by its files' names alone, with a record."""
    folder.mkdir(parents=True)
    for name, body in {"model.bin": weights, "config.json": b"{}", "tokenizer.json": b"[]"}.items():
        (folder / name).write_bytes(body)
    return recorded(folder)


def _tokens() -> list[str]:
    from tokenizers.pre_tokenizers import ByteLevel  # noqa: PLC0415 - an extra

    special = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>"]
    special += ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nocaptions|>"]
    special += ["<|notimestamps|>", *(f"<|{number * 0.02:.2f}|>" for number in range(1_501))]
    return [*sorted(ByteLevel.alphabet()), *special]


def _fill(spec: Any, *, vocabulary: int, width: int) -> None:
    chance = np.random.default_rng(7)

    def weights(*shape: int) -> Any:
        return (chance.normal(0, 0.3, shape)).astype(np.float32)

    def linear(layer: Any, out: int, into: int) -> None:
        layer.weight, layer.bias = weights(out, into), weights(out)

    def norm(layer: Any) -> None:
        layer.gamma, layer.beta = np.ones(width, np.float32), np.zeros(width, np.float32)

    def attention(layer: Any, *sizes: int) -> None:
        norm(layer.layer_norm)
        for part, size in zip(layer.linear, sizes, strict=True):
            linear(part, size, width)

    def feed_forward(layer: Any) -> None:
        norm(layer.layer_norm)
        linear(layer.linear_0, 2 * width, width)
        linear(layer.linear_1, width, 2 * width)

    encoder, decoder = spec.encoder, spec.decoder
    encoder.conv1.weight, encoder.conv1.bias = weights(width, 80, 3), weights(width)
    encoder.conv2.weight, encoder.conv2.bias = weights(width, width, 3), weights(width)
    encoder.position_encodings.encodings = weights(1_500, width)
    norm(encoder.layer_norm)
    for layer in encoder.layer:
        attention(layer.self_attention, 3 * width, width)
        feed_forward(layer.ffn)
    decoder.embeddings.weight = weights(vocabulary, width)
    decoder.scale_embeddings = False
    decoder.position_encodings.encodings = weights(448, width)
    decoder.projection.weight = decoder.embeddings.weight
    norm(decoder.layer_norm)
    for layer in decoder.layer:
        attention(layer.self_attention, 3 * width, width)
        attention(layer.attention, width, 2 * width, width)
        feed_forward(layer.ffn)


def _write_tokenizer(path: Path, tokens: list[str]) -> None:
    special = [
        {
            "id": number,
            "content": token,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for number, token in enumerate(tokens)
        if token.startswith("<|")
    ]
    path.write_text(
        json.dumps(
            {
                "version": "1.0",
                "truncation": None,
                "padding": None,
                "added_tokens": special,
                "normalizer": None,
                "pre_tokenizer": {
                    "type": "ByteLevel",
                    "add_prefix_space": False,
                    "trim_offsets": True,
                    "use_regex": True,
                },
                "post_processor": None,
                "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
                "model": {"type": "BPE", "vocab": {token: number for number, token in enumerate(tokens)}, "merges": []},
            }
        ),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()

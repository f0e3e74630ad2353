"""Tones: made for callers (G.711) and for fake microphones (WAV), and looked for in recordings."""

import math
import struct
import wave

CALLER = 440
#: Each dispatcher has a tone of its own.
DISPATCHERS = {"anna": 1000, "boris": 1250, "head": 1500}


def mu_law(sample):
    sign = 0x80 if sample < 0 else 0
    biased = min(abs(sample), 32_635) + 132
    exponent = (biased.bit_length() - 8) & 7
    return ~(sign | (exponent << 4) | ((biased >> (exponent + 3)) & 0x0F)) & 0xFF


def g711(path, hertz, seconds=2):
    path.write_bytes(bytes(mu_law(int(8000 * math.sin(math.tau * hertz * at / 8000))) for at in range(int(seconds * 8000))))


def microphone(path, hertz, seconds=2):
    """What a fake microphone says over and over: whole periods, so that the joint is not heard."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48_000)
        frames = (int(9000 * math.sin(math.tau * hertz * at / 48_000)) for at in range(seconds * 48_000))
        out.writeframes(b"".join(struct.pack("<h", frame) for frame in frames))


def share(samples, rate, hertz):
    """How much of the whole power lies at this frequency (Goertzel, in pieces of a tenth of a second)."""
    whole = at = 0.0
    size = rate // 10
    factor = 2 * math.cos(math.tau * hertz / rate)
    for start in range(0, len(samples), size):
        piece = samples[start:start + size]
        before = last = 0.0
        for sample in piece:
            before, last = last, sample + factor * last - before
        at += (before * before + last * last - factor * before * last) * 2 / max(1, len(piece))
        whole += sum(sample * sample for sample in piece)
    return at / whole if whole else 0.0


def channels(path_or_bytes):
    """Rate, left (the caller) and right (the dispatcher) of a stereo recording."""
    import io
    with wave.open(io.BytesIO(path_or_bytes)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth()) == (2, 2), sound.getparams()
        frames = sound.readframes(sound.getnframes())
        rate = sound.getframerate()
    samples = struct.unpack(f"<{len(frames) // 2}h", frames)
    return rate, samples[0::2], samples[1::2]

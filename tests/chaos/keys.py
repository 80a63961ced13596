"""The campaign's keys, by libsodium: who signs commands, what API keys are sealed to, and what seals
the ledger. Each comes from its name alone."""
import base64
import ctypes
import hashlib

SIGNED = b"neon-provisioner command v1"
OLD, NEW = "1", "2"  # of the fleet, and of the ledger
SIGNATURE_BYTES, PUBLIC_BYTES, SECRET_BYTES, SEAL_BYTES = 64, 32, 64, 48
SIGNERS = ["any-a", "any-b", "own"]  # a producer each: two for all applications, one of each

_sodium = ctypes.CDLL("libsodium.so.23")
if _sodium.sodium_init() < 0:
    raise RuntimeError("libsodium does not start")


def seed(name):
    return hashlib.sha256(f"chaos/{name}".encode()).digest()


def key_id(public):
    return hashlib.sha256(public).hexdigest()[:16]


def _signing(name):
    public, secret = ctypes.create_string_buffer(PUBLIC_BYTES), ctypes.create_string_buffer(SECRET_BYTES)
    _sodium.crypto_sign_seed_keypair(public, secret, seed(name))
    return public.raw, secret.raw


def _signer_of(signer, application):
    return f"own/{application}" if signer == "own" else signer


def signature(signer, application, value):
    """The header's value, of a record with this application's id as its key."""
    public, secret = _signing(_signer_of(signer, application))
    text = b"\0".join([SIGNED, application.encode(), value])
    made = ctypes.create_string_buffer(SIGNATURE_BYTES)
    _sodium.crypto_sign_detached(made, None, text, ctypes.c_ulonglong(len(text)), secret)
    return f"{key_id(public)}:{base64.urlsafe_b64encode(made.raw).decode().rstrip('=')}"


def listed(applications):
    """commands.signers; "stranger" isn't there."""
    entries = [("*", "any-a"), ("*", "any-b"), ("*", "workers")]
    entries += [(application, f"own/{application}") for application in applications]
    return ", ".join(f"{application}={_signing(name)[0].hex()}" for application, name in entries)


def fleet_public(number):
    public = ctypes.create_string_buffer(PUBLIC_BYTES)
    _sodium.crypto_scalarmult_base(public, seed(f"fleet/{number}"))
    return public.raw


def seal(plain, number):
    """A SealedBox in JSON form."""
    public = fleet_public(number)
    box = ctypes.create_string_buffer(len(plain) + SEAL_BYTES)
    _sodium.crypto_box_seal(box, plain, ctypes.c_ulonglong(len(plain)), public)
    return {"box": base64.b64encode(box.raw).decode(), "fleetKeyId": key_id(public)}


def open_box(box, secret):
    """What was sealed to this X25519 key."""
    public = ctypes.create_string_buffer(PUBLIC_BYTES)
    _sodium.crypto_scalarmult_base(public, secret)
    plain = ctypes.create_string_buffer(max(1, len(box) - SEAL_BYTES))
    if _sodium.crypto_box_seal_open(plain, box, ctypes.c_ulonglong(len(box)), public, secret) != 0:
        raise ValueError("sealed to somebody else")
    return plain.raw[:len(box) - SEAL_BYTES]


def ledger_id(number):
    """What a value that is sealed under it begins with, behind its version."""
    return key_id(seed(f"ledger/{number}"))

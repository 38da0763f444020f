"""Those who have no business here: connections that say nothing or nonsense, bad tokens, noise on the media port."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import time

import httpx
import websockets

from bench.media.node import SECRET
from video.media.tokens import JoinClaims, mint

NOISE = 200
FIRSTS = (0x00, 0x16, 0x80, 0x90)
"""STUN, DTLS, RTP (RFC 7983)."""


async def intrude(port: int, address: str, media_port: int, number: int) -> str:
    """One visit of a stranger; what was done, or a sentence where the node took it wrongly."""
    visits = [_says_nothing, _talks_nonsense, _has_no_token, _comes_too_late, _posts_nonsense]
    if media_port:
        await asyncio.to_thread(_makes_noise, address, media_port)
    return await visits[number % len(visits)](port)


async def _says_nothing(port: int) -> str:
    async with websockets.connect(_url(port), ping_interval=None, proxy=None):
        await asyncio.sleep(0.5)
    return ""


async def _talks_nonsense(port: int) -> str:
    return await _turned_away(port, "{" + "x" * 1000, "bad_message")


async def _has_no_token(port: int) -> str:
    claims = JoinClaims("m1", "official", "official", "المسؤول", "Official")
    return await _turned_away(port, _join(mint(b"a secret that is another's", claims, now=time.time())), "bad_token")


async def _comes_too_late(port: int) -> str:
    """A good token for a meeting that is over: each of them another meeting."""
    claims = JoinClaims(f"over-{secrets.token_hex(4)}", "visitor", "visitor", "الزائر", "Visitor")
    return await _turned_away(port, _join(mint(SECRET, claims, now=time.time())), "ended")


async def _posts_nonsense(port: int) -> str:
    claims = JoinClaims("m1", "visitor", "visitor", "الزائر", "Visitor")
    headers = {"authorization": f"Bearer {mint(SECRET, claims, now=time.time())}", "content-type": "application/sdp"}
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        answer = await client.post(f"http://127.0.0.1:{port}/whip/m1", content="v=0\r\nnonsense", headers=headers)
    return "" if answer.status_code == 422 else f"an offer of nonsense was answered with {answer.status_code}"


async def _turned_away(port: int, text: str, reason: str) -> str:
    async with websockets.connect(_url(port), ping_interval=None, proxy=None) as link:
        await link.send(text)
        answer = json.loads(await asyncio.wait_for(link.recv(), 10))
    return "" if answer.get("reason") == reason else f"a stranger was answered with {answer}, not {reason}"


def _makes_noise(address: str, port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for number in range(NOISE):
            sock.sendto(bytes([FIRSTS[number % len(FIRSTS)]]) + os.urandom(20 + number), (address, port))


def _url(port: int) -> str:
    return f"ws://127.0.0.1:{port}/ws"


def _join(token: str) -> str:
    return json.dumps({"type": "join", "token": token})

"""One PAM transaction: a JSON request on stdin, a JSON answer on stdout.

Request: {"service", "user", "secrets": [...]}: each hidden prompt takes the next secret, so a second factor is one
more secret. {"probe": true} only says whether PAM can be used. A process of its own, because PAM modules sleep,
fork and sometimes crash.
"""
import ctypes
import json
import os
import sys

PAM_SUCCESS, PAM_BUF_ERR, PAM_CONV_ERR = 0, 5, 19
PAM_PROMPT_ECHO_OFF, PAM_PROMPT_ECHO_ON = 1, 2
PAM_USER, PAM_TTY, PAM_FAIL_DELAY = 2, 3, 10


class Message(ctypes.Structure):
    _fields_ = [("style", ctypes.c_int), ("text", ctypes.c_char_p)]


class Response(ctypes.Structure):
    _fields_ = [("text", ctypes.c_void_p), ("code", ctypes.c_int)]


CONVERSE = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_int,
    ctypes.POINTER(ctypes.POINTER(Message)),
    ctypes.POINTER(ctypes.POINTER(Response)),
    ctypes.c_void_p,
)
DELAY = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p)


class Conversation(ctypes.Structure):
    _fields_ = [("converse", CONVERSE), ("data", ctypes.c_void_p)]


def load():
    pam = ctypes.CDLL("libpam.so.0")
    libc = ctypes.CDLL(None)
    libc.calloc.restype, libc.calloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t, ctypes.c_size_t]
    libc.strdup.restype, libc.strdup.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
    pam.pam_start.argtypes = [
        ctypes.c_char_p,
        ctypes.c_char_p,
        ctypes.POINTER(Conversation),
        ctypes.POINTER(ctypes.c_void_p),
    ]
    for call in (pam.pam_authenticate, pam.pam_acct_mgmt, pam.pam_end):
        call.argtypes = [ctypes.c_void_p, ctypes.c_int]
    pam.pam_set_item.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
    pam.pam_get_item.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_void_p)]
    return pam, libc


def converse_with(libc, user, secrets, lacking):
    left = list(secrets)

    @CONVERSE
    def converse(count, messages, responses, _data):
        # libpam frees the answers, so they must come from malloc.
        memory = libc.calloc(count, ctypes.sizeof(Response))
        if not memory:
            return PAM_BUF_ERR
        answers = ctypes.cast(memory, ctypes.POINTER(Response))
        responses[0] = answers
        for i in range(count):
            style = messages[i].contents.style
            if style == PAM_PROMPT_ECHO_ON:
                answers[i].text = libc.strdup(user)
            elif style == PAM_PROMPT_ECHO_OFF:
                if not left:
                    lacking.append(True)
                    return PAM_CONV_ERR
                answers[i].text = libc.strdup(left.pop(0))
        return PAM_SUCCESS

    return converse


def transact(request):
    pam, libc = load()
    user = request["user"].encode()
    secrets = [secret.encode() for secret in request["secrets"]]
    if any(b"\0" in value for value in [user, *secrets]):
        return {"code": 7, "phase": "auth"}
    lacking, delays = [], [0]
    converse = converse_with(libc, user, secrets, lacking)

    @DELAY
    def note_delay(status, microseconds, _data):
        # The caller waits instead, without keeping a process.
        if status != PAM_SUCCESS:
            delays[0] = max(delays[0], microseconds)

    handle = ctypes.c_void_p()
    conversation = Conversation(converse, None)
    code = pam.pam_start(request["service"].encode(), user, ctypes.byref(conversation), ctypes.byref(handle))
    if code != PAM_SUCCESS:
        return {"code": code, "phase": "start"}
    pam.pam_set_item(handle, PAM_TTY, ctypes.cast(ctypes.c_char_p(b"elara"), ctypes.c_void_p))
    pam.pam_set_item(handle, PAM_FAIL_DELAY, ctypes.cast(note_delay, ctypes.c_void_p))
    phase, code = "auth", pam.pam_authenticate(handle, 0)
    if code == PAM_SUCCESS:
        phase, code = "account", pam.pam_acct_mgmt(handle, 0)
    name = ctypes.c_void_p()
    if code == PAM_SUCCESS:
        code = pam.pam_get_item(handle, PAM_USER, ctypes.byref(name))
    answer = {"code": code, "phase": phase, "delayMs": delays[0] // 1000, "lacking": bool(lacking)}
    if code == PAM_SUCCESS:
        answer["user"] = ctypes.cast(name, ctypes.c_char_p).value.decode()
    pam.pam_end(handle, code)
    return answer


def main():
    # A module that prints must not spoil the answer.
    out = os.dup(1)
    os.dup2(2, 1)
    request = json.load(sys.stdin)
    if request.get("probe"):
        load()
        answer = {"probe": True, "uid": os.geteuid()}
    else:
        answer = transact(request)
    os.write(out, json.dumps(answer).encode())


main()

"""A spoken conversation with nothing but Python's standard library."""

import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid

server = (sys.argv[1:] or [os.environ.get("PARLEY_URL", "http://127.0.0.1:4000")])[0]
token = os.environ.get("PARLEY_TOKEN")
sign_in = {"authorization": f"Bearer {token}"} if token else {}

FOLLOW = """
  subscription ($turnId: ID!, $after: String) {
    turnEvents(turnId: $turnId, after: $after) {
      cursor
      ... on TranscriptDelta { delta }
      ... on TurnEnded { turn { status assistantMessage { audio { url durationMs } } } }
    }
  }
"""


def data_of(result):
    """The data of a result. Raises where there are errors."""
    if result.get("errors"):
        raise RuntimeError(result["errors"][0]["message"])
    return result["data"]


def post(body, headers):
    request = urllib.request.Request(f"{server}/graphql", body, headers | sign_in)
    try:
        return urllib.request.urlopen(request, timeout=120)
    except urllib.error.HTTPError as error:
        raise RuntimeError(error.read().decode()) from error


def ask(query, variables=None):
    body = json.dumps({"query": query, "variables": variables}).encode()
    with post(body, {"content-type": "application/json"}) as answer:
        return data_of(json.load(answer))


def upload(query, variables, path, file):
    """A GraphQL multipart request: the operation, which variable the file is, and the file."""
    boundary = uuid.uuid4().hex
    parts = [
        ('name="operations"', json.dumps({"query": query, "variables": variables}).encode()),
        ('name="map"', json.dumps({"0": [path]}).encode()),
        ('name="0"; filename="question.wav"\r\ncontent-type: audio/wav', file),
    ]
    body = b"".join(
        f"--{boundary}\r\ncontent-disposition: form-data; {head}\r\n\r\n".encode() + content + b"\r\n"
        for head, content in parts
    )
    headers = {
        "content-type": f"multipart/form-data; boundary={boundary}",
        "apollo-require-preflight": "true",
    }
    with post(body + f"--{boundary}--\r\n".encode(), headers) as answer:
        return data_of(json.load(answer))


def events(turn_id, after=None):
    """What happens in the turn behind the cursor, as it happens."""
    body = json.dumps({"query": FOLLOW, "variables": {"turnId": turn_id, "after": after}}).encode()
    headers = {"content-type": "application/json", "accept": "multipart/mixed;subscriptionSpec=1.0"}
    with post(body, headers) as answer:
        for line in answer:  # Each part's JSON stands on a line of its own; an empty object is a heartbeat.
            part = json.loads(line) if line.startswith(b"{") else {}
            if part:
                yield data_of(part.get("payload") or part)["turnEvents"]


def follow(turn_id):
    """Hears a turn to its end, and comes back with the last cursor when the connection breaks."""
    cursor = None
    for attempt in range(5):
        try:
            for event in events(turn_id, cursor):
                cursor = event["cursor"]
                if event.get("turn"):
                    return event["turn"]
                if event.get("delta"):
                    print("heard:", event["delta"].strip(), flush=True)
                    if attempt == 0:
                        break  # Hanging up at the first words stands for a connection that breaks.
        except (OSError, http.client.HTTPException):
            time.sleep(1)
        print("hung up; coming back with the last cursor")
    raise RuntimeError("The turn was not heard to its end.")


def main():
    started = ask('mutation { startConversation(input: {title: "Dogs"}) { conversation { id } } }')
    conversation_id = started["startConversation"]["conversation"]["id"]
    print("conversation", conversation_id)

    added = ask(
        "mutation ($input: AddTextTurnInput!) { addTextTurn(input: $input) { turn { id } } }",
        {
            "input": {
                "conversationId": conversation_id,
                "text": "Is a golden retriever a good family dog?",
                "waitMs": 0,  # Answer at once; the reply is heard while it is spoken.
            }
        },
    )
    turn_id = added["addTextTurn"]["turn"]["id"]

    turn = follow(turn_id)
    if turn["status"] != "COMPLETED":
        raise RuntimeError(f"The turn is {turn['status']}.")

    with urllib.request.urlopen(turn["assistantMessage"]["audio"]["url"], timeout=120) as answer:
        wav = answer.read()
    with open("answer.wav", "wb") as file:
        file.write(wav)
    print("answer.wav:", len(wav), "bytes")

    described = upload(
        "mutation ($input: AddAudioTurnInput!) { addAudioTurn(input: $input) {"
        " turn { status error { message } assistantMessage { transcript } } } }",
        {
            "input": {
                "conversationId": conversation_id,
                "audio": {"upload": None},
                "text": "Describe in detail the spoken audio input.",
            }
        },
        "variables.input.audio.upload",
        wav,
    )["addAudioTurn"]["turn"]
    if described["status"] != "COMPLETED":
        raise RuntimeError(f"The turn is {described['status']}: {described['error']}")
    print("about answer.wav:", described["assistantMessage"]["transcript"])

    read = ask(
        "query ($id: ID!) { conversation(id: $id) { turns(last: 10) { nodes { position status } } } }",
        {"id": conversation_id},
    )
    for turn in read["conversation"]["turns"]["nodes"]:
        print(f"turn {turn['position']}: {turn['status']}")


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as error:
        sys.exit(str(error))
    except urllib.error.URLError:
        sys.exit(f"No answer from {server}: start Parley with npm start, or give its address.")

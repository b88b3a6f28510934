#!/bin/sh
# A spoken conversation with nothing but curl, grep and sed.
set -eu

server=${1:-${PARLEY_URL:-http://127.0.0.1:4000}}

# A request to the API; with PARLEY_TOKEN it says who sends it.
request() {
  curl -sS --fail-with-body ${PARLEY_TOKEN:+-H "authorization: Bearer $PARLEY_TOKEN"} "$server/graphql" "$@"
}

# Sends an operation as JSON. GraphQL's errors come with status 200, so that they have to be looked for.
ask() {
  request -H 'content-type: application/json' -d "$1" | checked
}

checked() {
  answer=$(cat)
  case $answer in
    '')
      echo "No answer from $server: start Parley with npm start, or give its address." >&2
      return 1
      ;;
    *'"errors":['* | *'"status":"FAILED"'*)
      echo "$answer" >&2
      return 1
      ;;
  esac
  echo "$answer"
}

# The first value of a field in JSON. Programs that do more had better take jq.
field() {
  grep -o "\"$1\":\"[^\"]*\"" | sed -e "s/^\"$1\":\"//" -e 's/"$//' -e 1q
}

started=$(ask '{"query": "mutation { startConversation(input: {title: \"Dogs\"}) { conversation { id } } }"}')
conversation=$(echo "$started" | field id)
echo "conversation $conversation"

# waitMs 0: the answer to the mutation comes at once, the reply is heard while it is spoken.
added=$(ask '{
  "query": "mutation ($input: AddTextTurnInput!) { addTextTurn(input: $input) { turn { id } } }",
  "variables": {"input": {"conversationId": "'"$conversation"'", "text": "Is a golden retriever a good family dog?", "waitMs": 0}}
}')
turn=$(echo "$added" | field id)

# A subscription over HTTP: each event is a part of the answer.
follow() {
  request -N -H 'content-type: application/json' -H 'accept: multipart/mixed;subscriptionSpec=1.0' -d '{
      "query": "subscription ($turnId: ID!, $after: String) { turnEvents(turnId: $turnId, after: $after) { __typename cursor ... on TranscriptDelta { delta } ... on TurnEnded { turn { status } } } }",
      "variables": {"turnId": "'"$turn"'", "after": '"$1"'}
    }'
}

follow null | grep --line-buffered '^{"payload"' | tee events.json
grep -q '"status":"COMPLETED"' events.json

# The same again from a cursor in the middle: only what follows it.
cursor=$(field cursor <events.json)
echo "after the first event:"
follow "\"$cursor\"" | grep --line-buffered '^{"payload"'

heard=$(ask '{
  "query": "query ($id: ID!) { turn(id: $id) { assistantMessage { audio { url } } } }",
  "variables": {"id": "'"$turn"'"}
}')
url=$(echo "$heard" | field url)
curl -sS --fail -o answer.wav "$url"
echo "answer.wav: $(wc -c <answer.wav) bytes"

# An upload: a file part of a multipart request, with the header that the server wants for it.
request -H 'apollo-require-preflight: true' \
  -F operations='{
    "query": "mutation ($input: AddAudioTurnInput!) { addAudioTurn(input: $input) { turn { status assistantMessage { transcript } } } }",
    "variables": {"input": {"conversationId": "'"$conversation"'", "audio": {"upload": null}, "text": "Describe in detail the spoken audio input."}}
  }' \
  -F map='{"0": ["variables.input.audio.upload"]}' \
  -F 0=@answer.wav | checked

ask '{
  "query": "query ($id: ID!) { conversation(id: $id) { title turns(last: 10) { nodes { position status userMessage { content } } } } }",
  "variables": {"id": "'"$conversation"'"}
}'

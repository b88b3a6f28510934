import { ParleyError } from "../errors.js";

export function conversationNotFound(): ParleyError {
  return new ParleyError("NOT_FOUND", "There is no such conversation.");
}

export function uploadNotFound(): ParleyError {
  return new ParleyError("NOT_FOUND", "There is no such upload, or it has ended or was used already.");
}

export function turnNotFound(): ParleyError {
  return new ParleyError("NOT_FOUND", "There is no such turn.");
}

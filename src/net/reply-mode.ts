/** CLIENT REPLY of one connection: which replies it wants. */
export class ReplyMode {
  private mode: "on" | "off" | "skip" | "skipNext" = "on"

  get on(): boolean {
    return this.mode === "on"
  }

  /** Whether the running command's reply is dropped. */
  get muted(): boolean {
    return this.mode === "off" || this.mode === "skip"
  }

  /** What CLIENT REPLY asks for; SKIP means the command after it, and nothing while replies are off anyway. */
  set(mode: "on" | "off" | "skip"): void {
    this.mode = mode === "skip" ? (this.mode === "off" ? "off" : "skipNext") : mode
  }

  /** A command has answered: the silence that SKIP asked for begins, or is over. */
  next(): void {
    if (this.mode === "skip") this.mode = "on"
    else if (this.mode === "skipNext") this.mode = "skip"
  }
}

/** The part of autocannon 9.0.0 that the bench uses; the package comes without types. */
declare module 'autocannon' {
  export interface Client {
    /** Called for every request; what it returns goes to the socket as it is. */
    getRequestBuffer: () => Buffer | string
    on(event: 'response', listener: (status: number, bytes: number, durationMs: number) => void): void
  }

  interface Options {
    readonly url: string
    readonly connections: number
    /** Seconds. */
    readonly duration: number
    /** Seconds. */
    readonly timeout: number
    readonly setupClient: (client: Client) => void
  }

  interface Instance {
    stop(): void
  }

  export default function autocannon(options: Options, callback: (error: Error | null) => void): Instance
}

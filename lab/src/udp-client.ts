import type { Socket } from 'node:dgram';
import { loopbackSocket } from './echo-server.ts';

const PAYLOAD = Buffer.from('ping');

/** Sends to a port of loopback at a steady pace, and counts what comes back. */
export class UdpClient {
  readonly #socket: Socket;
  readonly #timer: NodeJS.Timeout;
  #isPaused = false;
  #sent = 0;
  #answered = 0;

  private constructor(socket: Socket, port: number, packetsPerSecond: number) {
    this.#socket = socket;
    socket.on('message', () => this.#answered++);
    this.#timer = setInterval(() => {
      if (this.#isPaused) return;
      this.#sent++;
      // One that cannot be sent is lost, as datagrams may be.
      socket.send(PAYLOAD, port, '127.0.0.1', () => {});
    }, 1_000 / packetsPerSecond);
  }

  static async start(port: number, packetsPerSecond: number): Promise<UdpClient> {
    return new UdpClient(await loopbackSocket(), port, packetsPerSecond);
  }

  get sent(): number {
    return this.#sent;
  }

  get answered(): number {
    return this.#answered;
  }

  /** Sends nothing while `work` goes on. */
  async whilePaused<T>(work: () => Promise<T>): Promise<T> {
    this.#isPaused = true;
    try {
      return await work();
    } finally {
      this.#isPaused = false;
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#socket.close();
  }
}

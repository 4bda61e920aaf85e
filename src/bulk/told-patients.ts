import { whoseAre, type Shown, type Whose } from '../audit/whose.js';
import type { Store } from '../store/port.js';

const together = 200;

/** Whose records go into a file, gathered as they pass. */
export class ToldPatients {
  private readonly patients = new Set<string>();
  private readonly numbers = new Set<string>();
  private waiting: Shown[] = [];

  constructor(private readonly store: Store) {}

  async add(row: Shown): Promise<void> {
    if (this.waiting.push(row) >= together) await this.settle();
  }

  async whose(): Promise<Whose> {
    await this.settle();
    return { patients: [...this.patients], numbers: [...this.numbers] };
  }

  private async settle(): Promise<void> {
    const rows = this.waiting;
    this.waiting = [];
    const { patients, numbers } = await whoseAre(this.store, rows);
    for (const id of patients) this.patients.add(id);
    for (const number of numbers) this.numbers.add(number);
  }
}

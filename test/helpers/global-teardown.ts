import { rmSync } from 'node:fs';

const tearDown = (): void => {
  rmSync(process.env['DEMO_TEMPLATE'] ?? '', { recursive: true, force: true });
};

// jest takes the default export
export default tearDown;

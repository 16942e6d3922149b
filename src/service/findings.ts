import { type Complaint, complain } from '../config/complaint.ts'
import { keyPlaceOf, type Located, type Path, placeOf } from '../config/located.ts'

/** Collects complaints about one configuration, each put where its path is written. */
export class Findings {
  readonly root: Located
  readonly complaints: Complaint[] = []

  constructor(root: Located) {
    this.root = root
  }

  error(path: Path, message: string): void {
    this.complaints.push(complain({ place: placeOf(this.root, path), path, message }))
  }

  warning(path: Path, message: string): void {
    const place = placeOf(this.root, path)
    this.complaints.push(complain({ severity: 'warning', place, path, message }))
  }

  /** About the key itself: an unknown name, an id that breaks the rules. */
  keyError(path: Path, message: string): void {
    this.complaints.push(complain({ place: keyPlaceOf(this.root, path), path, message }))
  }

  keyWarning(path: Path, message: string): void {
    const place = keyPlaceOf(this.root, path)
    this.complaints.push(complain({ severity: 'warning', place, path, message }))
  }
}

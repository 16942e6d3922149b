import { type Complaint, complain } from '../config/complaint.ts'
import { keyPlaceOf, locate, type Located, type Path, placeOf } from '../config/located.ts'

/** Collects complaints about one configuration, each put where its path is written. */
export class Findings {
  readonly root: Located
  readonly complaints: Complaint[] = []
  /** Sections that are there under a name much like theirs, so that what they define is not missing. */
  readonly misspelt = new Set<string>()

  constructor(root: Located) {
    this.root = root
  }

  /** About a value; where a variable that is not set left it empty, that is said too. */
  error(path: Path, message: string): void {
    const node = locate(this.root, path)
    const note = node?.kind === 'scalar' ? node.reference?.note : undefined
    const whole = note === undefined ? message : `${message} (${note})`
    this.complaints.push(complain({ place: placeOf(this.root, path), path, message: whole }))
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

import { type ReactElement, useEffect, useRef } from 'react'
import { AccountPage } from '../account/account-page.js'
import { ComparisonPage } from '../comparison/comparison-page.js'
import { ComparisonsPage } from '../comparison/comparisons-page.js'
import { Link } from '../navigation/link.js'
import type { Place } from '../navigation/place.js'
import { usePlace } from '../navigation/use-place.js'
import { NewSchedulePage } from '../new-schedule/new-schedule-page.js'
import { SchedulesPage } from '../overview/schedules-page.js'
import { SchedulePage } from '../schedule/schedule-page.js'
import { TemplatePage } from '../templates/template-page.js'
import { TemplatesPage } from '../templates/templates-page.js'
import { AccountMenu } from './account-menu.js'
import { Brand } from './brand.js'
import { ConnectionNote } from './connection-note.js'
import { Empty } from './states.js'

const SECTIONS = [
  { page: 'schedules', title: 'Schedules', others: ['schedule', 'new'] },
  { page: 'comparisons', title: 'Comparisons', others: ['comparison'] },
  { page: 'templates', title: 'Templates', others: ['template'] },
] as const

/** What stands around every page of somebody who is signed in. */
export function Shell(): ReactElement {
  const place = usePlace()
  const main = useRef<HTMLElement>(null)
  useFocusOn(main, place)
  return (
    <>
      <a className="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        Skip to the content
      </a>
      <header className="masthead">
        <Link to={{ page: 'schedules' }} className="home">
          <Brand />
        </Link>
        <nav aria-label="Sections">
          {SECTIONS.map(({ page, title, others }) => (
            <Link key={page} to={{ page }} isCurrent={[page, ...others].includes(place.page as never)}>
              {title}
            </Link>
          ))}
        </nav>
        <ConnectionNote />
        <AccountMenu />
      </header>
      <main ref={main} id="main" tabIndex={-1}>
        <Page place={place} />
      </main>
    </>
  )
}

function Page({ place }: { readonly place: Place }): ReactElement {
  switch (place.page) {
    case 'schedules':
      return <SchedulesPage />
    case 'new':
      return <NewSchedulePage key={place.from} from={place.from} isComparison={place.compare ?? false} />
    case 'schedule':
      return <SchedulePage key={place.id} id={place.id} />
    case 'comparisons':
      return <ComparisonsPage />
    case 'comparison':
      return <ComparisonPage key={place.id} id={place.id} />
    case 'templates':
      return <TemplatesPage />
    case 'template':
      return <TemplatePage key={place.id} id={place.id} />
    case 'account':
      return <AccountPage />
    default:
      return (
        <Empty title="There is no such page">
          <p>
            <Link to={{ page: 'schedules' }}>To your schedules</Link>
          </p>
        </Empty>
      )
  }
}

/** Puts the focus on another page as it comes, for those who do not see it come; not on the first one. */
function useFocusOn(main: { readonly current: HTMLElement | null }, place: Place): void {
  const last = useRef(place)
  useEffect(() => {
    if (last.current === place) return
    last.current = place
    main.current?.focus({ preventScroll: true })
    window.scrollTo(0, 0)
  }, [main, place])
}

// Tous les mots de la fenêtre, en français. Espaces insécables avant : ? ! ; et dans les guillemets.

import type { Messages } from './en'

const nb = '\u00a0'
const some = (count: number, one: string, many: string) => `${count}${nb}${count < 2 ? one : many}`

export const fr: Messages = {
  app: 'Bookiji',
  places: { label: 'Bookiji Companion', week: 'Semaine', sync: 'Synchro des calendriers' },
  services: { google: 'Google', outlook: 'Outlook', caldav: 'iCloud ou CalDAV', ics: 'Lien de calendrier' },
  files: 'Fichiers importés',
  states: {
    up_to_date: 'À jour',
    syncing: 'Synchro…',
    paused: 'En pause',
    offline: 'Injoignable',
    needs_you: 'Besoin de vous',
    error: 'Erreur',
  },
  roles: { target: 'Réservations ici', busy: 'Ferme des plages', off: 'Laissé tel quel' },
  placements: {
    synced: 'Dans votre calendrier',
    pending: 'En route vers votre calendrier',
    error: `Pas encore dans votre calendrier${nb}: le dernier essai a échoué`,
    nowhere: `Dans aucun calendrier${nb}: aucun n’est choisi pour les réservations`,
  },

  named: (name, said) => `${name}${nb}: ${said}`,
  syncNow: 'Synchroniser',
  syncing: 'Synchro…',
  tryNow: 'Réessayer',
  close: 'Fermer',
  openSync: 'Voir la synchro',

  foot: {
    notStarted: 'Pas commencé',
    nobody: 'Personne n’est connecté',
    noCalendars: 'Aucun calendrier externe',
    lastSynced: (time) => `Dernière synchro${nb}: ${time}`,
    never: 'Pas encore synchronisé',
    until: (time) => `Jusqu’à ${time}`,
    decisions: (count) => some(count, 'décision', 'décisions'),
    standingBy: (computer) => `En veille${nb}: ${computer} écrit`,
  },

  ago: {
    now: 'à l’instant',
    minutes: (count) => `il y a ${count}${nb}min`,
    hours: (count) => `il y a ${count}${nb}h`,
  },

  sample: {
    name: 'Données d’exemple',
    what: 'Inventées, et seulement sur cet ordinateur.',
    leave: 'Quitter et effacer',
  },

  welcome: {
    title: 'Vos réservations et votre calendrier, toujours d’accord',
    what: 'Ce qui remplit votre calendrier ferme la plage sur Bookiji. Chaque réservation apparaît dans votre calendrier.',
    explore: 'Explorer avec des exemples',
    samples: 'Les exemples tournent dans cette app. Aucun compte, rien n’est envoyé.',
    or: 'ou avec les vôtres',
    steps: `Connectez-vous une fois depuis un terminal, et cette fenêtre se remplit toute seule${nb}:`,
    privacy: 'Les titres de vos évènements ne quittent jamais cet ordinateur',
  },

  preview: {
    title: (count: number) =>
      count === 0
        ? 'Voici votre semaine telle qu’elle sera'
        : count === 1
          ? 'Un moment occupé sera fermé sur Bookiji'
          : `${count} moments occupés seront fermés sur Bookiji`,
    what: 'Démarrer ferme ces moments et met vos rendez-vous dans votre agenda. Rien n’a encore été modifié.',
    busy: (count: number, calendars: number) =>
      calendars === 0
        ? 'moments occupés dans vos agendas'
        : `${count < 2 ? 'moment occupé' : 'moments occupés'}, de ${some(calendars, 'agenda', 'agendas')}`,
    created: (count: number, into: string | null) =>
      `${count < 2 ? 'événement ajouté' : 'événements ajoutés, tous'} dans ${into === null ? 'un nouvel agenda' : `« ${into} »`}`,
    decisions: (count: number) => (count < 2 ? 'question pour vous' : 'questions pour vous'),
    overlaps: (count: number) => (count < 2 ? 'rendez-vous chevauche votre agenda' : 'rendez-vous chevauchent votre agenda'),
    own: 'de vos propres événements modifié',
    notAll: 'Ce n’est donc pas tout.',
    lookAgain: 'Regarder à nouveau',
    looking: 'Lecture de vos agendas…',
    undo: 'Vous pourrez l’annuler plus tard.',
    start: 'Démarrer',
  },

  week: {
    previous: 'Semaine précédente',
    next: 'Semaine suivante',
    today: 'Aujourd’hui',
    label: (range) => `Semaine du ${range}`,
    now: (time) => `Maintenant, ${time}`,
    booking: 'Réservation',
    appointment: 'Rendez-vous',
    bookings: 'Réservations',
    overlap: 'Conflit',
    allDay: 'Toute la journée',
    allDayShort: 'journée',
    untitled: 'Pas libre',
    toConfirm: 'à confirmer',
    nothing: 'Rien cette semaine',
    edgeBefore: 'Les semaines plus anciennes ne sont pas gardées ici.',
    edgeAfter: 'Les semaines suivantes ne sont pas encore lues.',
    busyLabel: (title, source, when) => `Non réservable, ${when}${nb}: ${title}, ${source}`,
    overlapLabel: 'chevauche votre calendrier',
    asOf: (time) => `Voici votre semaine telle qu’elle était à ${time}.`,
    emptyTitle: 'Aucun calendrier externe relié',
    emptyWhat: 'Reliez le calendrier que vous utilisez déjà. Vos occupations ferment des plages ici, et les réservations apparaissent là-bas.',
    emptyHow: `Dans un terminal${nb}:`,
  },

  detail: {
    customer: 'Client',
    service: 'Prestation',
    calendar: 'Calendrier',
    confirm: 'Pas encore confirmée sur Bookiji',
    source: 'Source',
    titleStays: 'Le titre reste sur cet ordinateur.',
    rule: 'Règle',
    ruleBusy: 'Un évènement ferme les plages',
    buffer: (minutes) => `avec ${minutes}${nb}min autour`,
    checked: 'Vérifié',
    knows: 'Bookiji sait',
    knowsBusy: (when) => `Pas libre ${when}`,
    knowsLess: 'Ni titre, ni lieu, ni invités',
    whyTitle: (time) => `Pourquoi ${time} n’est-il pas réservable${nb}?`,
    whyDay: `Pourquoi ce jour n’est-il pas réservable${nb}?`,
    why: (source) => `Vous n’êtes pas libre${nb}: ${source}.`,
    overlap: (when) => `Quelque chose dans votre calendrier recouvre ${when}.`,
    overlapNext: 'Déplacez l’un des deux, puis appuyez sur Synchroniser.',
  },

  sync: {
    upToDate: 'Tout est à jour',
    syncing: 'Synchro en cours',
    paused: 'La synchro est en pause',
    notStarted: 'Rien n’est encore synchronisé',
    offline: 'Une partie est injoignable',
    needsYou: (count) =>
      count < 2 ? 'Un calendrier a besoin de vous' : `${count} calendriers ont besoin de vous`,
    needsYouElse: 'Bookiji a besoin de vous',
    error: 'Quelque chose s’est mal passé',
    rhythm: (last, next, minutes) =>
      `Dernière synchro${nb}: ${last}. Prochaine à ${next}, puis toutes les ${minutes}${nb}minutes.`,
    never: 'Pas encore synchronisé.',
    lastOnly: (last) => `Dernière synchro${nb}: ${last}.`,
    next: (time) => `prochaine ${time}`,
    tried: (time) => `arrêté à ${time}`,
    waiting: 'pas encore lu',
    every: (minutes) => `toutes les ${minutes}${nb}min`,
    busyCount: (count) => some(count, 'plage fermée', 'plages fermées'),
    bookingCount: (count) => some(count, 'réservation', 'réservations'),
    leftAlone: (count) => some(count, 'autre calendrier laissé tel quel', 'autres calendriers laissés tels quels'),
    details: 'Ce que le service a répondu',
    connections: 'Connexions',
    history: 'Historique',
    historyEmpty: 'La première synchro apparaîtra ici.',
    running: 'En cours',
    nothing: 'Rien à changer',
    failed: 'Pas terminée',
    created: (count) => some(count, 'évènement ajouté', 'évènements ajoutés'),
    updated: (count) => some(count, 'évènement modifié', 'évènements modifiés'),
    removed: (count) => some(count, 'évènement retiré', 'évènements retirés'),
    published: (count) => some(count, 'calendrier occupé envoyé', 'calendriers occupés envoyés'),
    held: (count) => some(count, 'retrait retenu', 'retraits retenus'),
    decisions: (count) => some(count, 'décision pour vous', 'décisions pour vous'),
  },

  trouble: {
    loading: 'Lecture de votre semaine…',
    lost: 'La fenêtre a perdu l’app de vue',
    lostNext: 'Fermez la fenêtre et rouvrez-la depuis la barre d’état.',
  },
}

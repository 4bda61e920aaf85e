/** Words for the names of people and places that do not exist: nobody should take them for a record of a real person. */
export const givenNames = {
  female: ['Amber', 'Clover', 'Dahlia', 'Fern', 'Heather', 'Iris', 'Juniper', 'Lavender', 'Marigold', 'Olive', 'Pearl', 'Rowan'],
  male: ['Ash', 'Basil', 'Birch', 'Cedar', 'Clay', 'Flint', 'Forest', 'Jasper', 'Linden', 'Moss', 'Reed', 'Sage'],
} as const;

export const familyNames = [
  ...['Alderfield', 'Applebrook', 'Barleymow', 'Beechgrove', 'Bluewater', 'Brambleton', 'Cloudsley', 'Copperhill', 'Cornfield', 'Dewpond'],
  ...['Elderbank', 'Fallowmead', 'Featherstream', 'Foxmeadow', 'Greenacre', 'Hayloft', 'Hollowell', 'Kestrelwood', 'Larkrise', 'Limekiln'],
  ...['Maplethorn', 'Millrace', 'Mossbank', 'Oakwell', 'Orchardson', 'Pebblewick', 'Pinefield', 'Quillmarsh', 'Redcliffe', 'Riverbend'],
  ...['Saltmarsh', 'Silverbirch', 'Skylark', 'Stonebridge', 'Summerfold', 'Thistledown', 'Wheatear', 'Willowmere', 'Windrush', 'Yewtree'],
] as const;

export const placeWords = [
  ...['Ashbrook', 'Brightwater', 'Clearview', 'Dalesway', 'Eastgate', 'Fairholme', 'Goldcrest', 'Highmoor', 'Ivybridge', 'Kingfisher'],
  ...['Lakeside', 'Meadowbank', 'Northfield', 'Oldbury', 'Parkside', 'Queensway', 'Riverside', 'Southmead', 'Templegate', 'Westwood'],
] as const;

export const streets = [
  'Birch Lane',
  'Canal Street',
  'Elm Road',
  'Hill View',
  'Mill Lane',
  'Orchard Way',
  'Station Road',
  'The Green',
] as const;

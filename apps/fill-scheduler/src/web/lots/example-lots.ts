/** The lots that the product is shown with: 15 of two types. */
export const EXAMPLE_LOTS = `Lot ID,Type,Vials
A1,VialE,100000
A2,VialH,900000
A3,VialE,750000
A4,VialH,1000000
A5,VialE,30000
B1,VialH,700000
B2,VialH,500000
C1,VialE,20000
C2,VialH,100000
C3,VialH,50000
C4,VialE,1200000
C5,VialH,625000
C6,VialH,10000
B3,VialH,800000
C7,VialE,250000
`

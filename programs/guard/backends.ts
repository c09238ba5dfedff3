import { type Application, type Colour, colours, isHttp } from "../../applications/application.ts";
import { workloadName } from "../../components/release/names.ts";

/** One service in one colour, where requests go; a worker answers nobody and is none. */
export interface Backend {
  readonly service: string;
  readonly colour: Colour;
  /** Of its Service, and of its Deployment. */
  readonly name: string;
}

export const backendsOf = ({ name, services }: Application): readonly Backend[] =>
  services
    .filter(isHttp)
    .flatMap((service) =>
      colours.map((colour) => ({ service: service.name, colour, name: workloadName(name, service.name, colour) })),
    );
